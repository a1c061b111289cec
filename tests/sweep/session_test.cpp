#include "sweep/session.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>

#include "core/error.hpp"
#include "core/files.hpp"
#include "model/model_file.hpp"
#include "support/catch.hpp"
#include "train/numerics.hpp"

using namespace attnspan;

namespace {

const char* const tiny = R"({"task": "copy:symbols=3", "train_length": 3, "multiples": [1, 4],
    "steps": 20, "batch_size": 4, "layers": 1, "heads": 2, "d_model": 16, "d_ff": 16,
    "test_samples": 6, "warmup_steps": 5, "validation_samples": 6})";

SweepSpec spec(const std::string& more = "") {
  return resolve_spec(parse_spec(tiny, "spec"), parse_spec("{" + more + "}", "more"));
}

/// A folder of its own for each test, gone afterwards.
class Folder {
 public:
  Folder() {
    char pattern[] = "/tmp/attnspan-session-XXXXXX";
    path_ = ::mkdtemp(pattern);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file() const { return path_ + "/out.json"; }
  std::string models() const { return path_ + "/models"; }
  std::vector<std::string> model_files() const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(models()))
      files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
  }
  bool has_checkpoint() const {
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      if (entry.path().filename().string().starts_with("out.json.checkpoint-")) return true;
    return false;
  }
  bool has(const std::string& name) const { return std::filesystem::exists(path_ + "/" + name); }
  void remove(const std::string& name) const { std::filesystem::remove(path_ + "/" + name); }

 private:
  std::string path_;
};

Session::Options options(const Folder& folder, const Continuation& continuation = {}) {
  Session::Options made;
  made.path = folder.file();
  made.to_text = [](const Result& result) {
    Json json = to_json(result);
    json["selection_rule"] = "";
    json["table"] = Json::array();
    return to_text(json);
  };
  made.continuation = continuation;
  return made;
}

/// Runs a sweep to its end; how many cells that took.
std::size_t run(const Folder& folder, const std::string& more,
                const Continuation& continuation = {}) {
  Session session(spec(more), options(folder, continuation));
  const std::size_t pending = session.plan().pending.size();
  const bool finished = session.run({}, {}, {});
  CHECK(finished);
  session.finish();
  return pending;
}

Json results(const Folder& folder) { return without_timings(to_json(load_result(folder.file()))); }

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "accepted";
}

bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  INFO(part);
  return text.find(part) != std::string::npos;
}

/// Changes the results file as a hand would.
void alter(const Folder& folder, const std::function<void(Json&)>& change) {
  Json json = to_json(load_result(folder.file()));
  change(json);
  json["selection_rule"] = "";
  json["table"] = Json::array();
  std::ofstream(folder.file()) << to_text(json);
}

}  // namespace

TEST_CASE("a finished sweep is not run again, from its results, its journal, or both", "[unit]") {
  const Folder folder;
  CHECK(run(folder, R"("seeds": 2)") == 2);
  const Json whole = results(folder);
  CHECK(run(folder, R"("seeds": 2)") == 0);
  folder.remove("out.json");
  CHECK(run(folder, R"("seeds": 2)") == 0);
  CHECK(results(folder) == whole);
  folder.remove("out.json.journal");
  CHECK(run(folder, R"("seeds": 2)") == 0);
  CHECK(results(folder) == whole);
  CHECK_FALSE(folder.has("out.json.journal"));  // nothing to keep in it
}

TEST_CASE("a file grows by axes, seeds, tasks, multiples and samples, as though written at once",
          "[unit]") {
  const Folder grown, whole;
  run(grown, "");
  CHECK(run(grown, R"("attention": ["softmax", "ssmax"])") == 1);
  CHECK(run(grown, R"("attention": ["softmax", "ssmax"], "seeds": 2)") == 2);
  CHECK(run(grown, R"("attention": ["softmax", "ssmax"], "seeds": 2,
                      "task": ["copy:symbols=3", "sort"])") == 4);
  const std::string all = R"("attention": ["softmax", "ssmax"], "seeds": 2,
      "task": ["copy:symbols=3", "sort"], "multiples": [1, 2, 4], "test_samples": 7)";
  CHECK(run(grown, all) == 8);
  run(whole, all);
  CHECK(results(grown) == results(whole));
  CHECK(run(grown, "") == 0);  // fewer: all is kept
  CHECK(results(grown) == results(whole));
}

TEST_CASE("pruning leaves what the command would have written afresh", "[unit]") {
  const Folder folder;
  run(folder, R"("attention": ["softmax", "ssmax"], "seeds": 2, "layers": [1, 2],
                 "multiples": [1, 2, 4], "test_at": [5, 10])");
  Continuation prune;
  prune.prune = true;
  for (const std::string kept :
       {R"("attention": ["ssmax", "softmax"], "layers": [2, 1], "multiples": [1, 2], "test_at": 5)",
        R"("attention": "ssmax", "multiples": [1, 2], "test_at": 5)",
        R"("attention": "ssmax", "multiples": [2])"}) {
    CHECK(run(folder, kept, prune) == 0);
    const Folder afresh;
    run(afresh, kept);
    CHECK(results(folder) == results(afresh));
    CHECK(run(folder, kept) == 0);
  }
}

TEST_CASE("giving up is done and undone as though afresh", "[unit]") {
  const std::string hopeless = R"("task": "copy:symbols=30", "multiples": [1, 2, 3, 4])";
  const Folder folder, giving_up, stubborn;
  run(stubborn, hopeless);
  run(giving_up, hopeless + R"(, "give_up": true)");
  CHECK(results(giving_up) != results(stubborn));
  run(folder, hopeless);
  Continuation prune;
  prune.prune = true;
  CHECK(run(folder, hopeless + R"(, "give_up": true)", prune) == 0);
  CHECK(results(folder) == results(giving_up));
  CHECK(run(folder, hopeless) == 1);
  CHECK(results(folder) == results(stubborn));
}

TEST_CASE("a cell that is trained again for more tests must give the same figures", "[unit]") {
  const Folder folder;
  run(folder, "");
  alter(folder, [](Json& json) { json["cells"][0]["train"]["loss"] = 0.125; });
  folder.remove("out.json.journal");
  const std::string message = refusal([&] { run(folder, R"("multiples": [1, 2])"); });
  CHECK(contains(message, "copy:symbols=3/softmax/nape/n3/lr0.001/seed0"));
  CHECK(contains(message, "gives other figures"));
  CHECK(results(folder)["cells"][0]["train"]["loss"] == 0.125);  // nothing is lost
  Continuation rerun;
  rerun.rerun = {"copy:symbols=3/softmax/nape/n3/lr0.001/seed0"};
  CHECK(run(folder, R"("multiples": [1, 2])", rerun) == 1);
  const Folder whole;
  run(whole, R"("multiples": [1, 2, 4])");
  CHECK(results(folder) == results(whole));
}

TEST_CASE("one cell is run again by its key", "[unit]") {
  const Folder folder;
  run(folder, R"("seeds": 2)");
  Continuation rerun;
  rerun.rerun = {"copy:symbols=3/softmax/nape/n3/lr0.001/seed1"};
  CHECK(run(folder, R"("seeds": 2)", rerun) == 1);
  rerun.rerun = {"copy:symbols=3/softmax/nape/n3/lr0.001/seed2"};
  CHECK(contains(refusal([&] { run(folder, R"("seeds": 2)", rerun); }), "unknown cell"));
}

TEST_CASE("another sweep is refused with both values, unless it is added or replaces", "[unit]") {
  const Folder folder;
  run(folder, "");
  const Json before = results(folder);
  for (const bool with_file : {true, false}) {
    if (!with_file) folder.remove("out.json");
    const std::string message = refusal([&] { run(folder, R"("steps": 21)"); });
    CHECK(contains(message, "steps is 20 there and 21 here"));
    CHECK(contains(message, "--add"));
    CHECK(folder.has("out.json") == with_file);
  }
  run(folder, "");
  CHECK(results(folder) == before);
  Continuation add;
  add.add = true;
  CHECK(run(folder, R"("steps": 21)", add) == 1);
  CHECK(results(folder)["cells"].size() == 2);
  Session::Options fresh = options(folder);
  fresh.fresh = true;
  Session session(spec(R"("steps": 22)"), fresh);
  CHECK(session.plan().pending.size() == 1);
  CHECK(session.run({}, {}, {}));
  CHECK(results(folder)["cells"].size() == 1);
}

TEST_CASE("a failed cell is tried again, a diverged one never", "[unit]") {
  const Folder folder;
  run(folder, R"("seeds": 3)");
  folder.remove("out.json.journal");
  alter(folder, [](Json& json) {
    for (const auto& [index, status] : {std::pair{1, "failed"}, std::pair{2, "diverged"}}) {
      Json& cell = json["cells"][static_cast<std::size_t>(index)];
      cell["status"] = status;
      cell["message"] = "out of memory";
      cell["evaluations"] = Json::array();
    }
  });
  CHECK(run(folder, R"("seeds": 3)") == 1);
  CHECK(results(folder)["cells"][1]["status"] == "done");
  CHECK(results(folder)["cells"][2]["status"] == "diverged");
}

TEST_CASE("cells of other numerics are not gone on with", "[unit]") {
  const Folder folder;
  run(folder, "");
  const Json before = results(folder);
  alter(folder, [](Json& json) { json["cells"][0]["numerics"] = numerics() + 1; });
  const auto refused = [&] { return refusal([&] { run(folder, ""); }); };
  CHECK(contains(refused(), "numerics " + std::to_string(numerics() + 1)));
  folder.remove("out.json");
  CHECK(run(folder, "") == 0);
  CHECK(results(folder) == before);
  folder.remove("out.json");
  Journal(folder.file() + ".journal", false)
      .begin({{"numerics", numerics() + 1}, {"spec", to_json(spec())}}, {});
  CHECK(contains(refused(), "numerics " + std::to_string(numerics() + 1)));
}

namespace {

Continuation with_models(const Folder& folder) {
  Continuation continuation;
  continuation.models = folder.models();
  return continuation;
}

std::string bytes_of(const std::string& path) { return read_file(path, 1 << 24); }

}  // namespace

TEST_CASE("models are kept, are the same in every run, and are made where they are missing",
          "[unit]") {
  const Folder folder, late;
  const std::string axes = R"("attention": ["softmax", "asentmax"], "seeds": 2)";
  CHECK(run(folder, axes, with_models(folder)) == 4);
  const std::vector<std::string> files = folder.model_files();
  CHECK(files.size() == 4);
  CHECK(contains(files[0], "/copy-symbols=3_asentmax_nape_n3_lr0.001_seed0-"));
  CHECK(run(folder, axes, with_models(folder)) == 0);

  run(late, axes);
  const Json without = results(late);
  CHECK(run(late, axes, with_models(late)) == 4);
  CHECK(results(late) == without);
  std::filesystem::remove(late.model_files()[2]);
  std::ofstream(late.model_files()[0], std::ios::app) << "more";
  const Session session(spec(axes), options(late, with_models(late)));
  CHECK(session.plan().pending.size() == 2);
  CHECK(session.plan().without_model == 2);
}

TEST_CASE("a sweep without a file can keep its models", "[unit]") {
  const Folder folder;
  Session::Options memory;
  memory.continuation = with_models(folder);
  CHECK(Session(spec(), memory).run({}, {}, {}));
  CHECK(folder.model_files().size() == 1);
  CHECK(run(folder, "") == 1);
  CHECK(run(folder, "", with_models(folder)) == 0);
}

TEST_CASE("a diverged cell leaves no model and is not missed", "[unit]") {
  const Folder folder;
  const std::string wild = R"("learning_rates": 10, "clip": 1e9, "weight_decay": 10, "steps": 400)";
  CHECK(run(folder, wild, with_models(folder)) == 1);
  CHECK(results(folder)["cells"][0]["status"] == "diverged");
  CHECK(folder.model_files().empty());
  CHECK(run(folder, wild, with_models(folder)) == 0);
}

TEST_CASE("new tests of finished cells take their models, and give what training gives", "[unit]") {
  const Folder grown, whole;
  run(grown, R"("seeds": 2)", with_models(grown));
  const std::string more = R"("seeds": 2, "layers": [1, 2], "multiples": [1, 2, 4, 8])";
  {
    Session session(spec(more), options(grown, with_models(grown)));
    CHECK(session.plan().pending.size() == 4);
    CHECK(session.plan().trained.size() == 2);  // though their keys have a part more by now
    CHECK(pending_cells(session.plan())[0].tests.size() == 2);
    std::vector<std::int64_t> steps;
    CHECK(session.run({}, {},
                      {[&](std::size_t, const CellProgress& progress) {
                         if (progress.test_length == 0) steps.push_back(progress.step);
                       },
                       {}}));
    CHECK(steps.size() == 2 * 20);  // of the cells with two layers
  }
  run(whole, more);
  CHECK(results(grown) == results(whole));

  // More samples are another test; tests in training need the training.
  const std::string samples = R"("seeds": 2, "layers": [1, 2], "test_samples": 9)";
  CHECK(Session(spec(samples), options(grown, with_models(grown))).plan().trained.size() == 4);
  CHECK(run(grown, samples, with_models(grown)) == 4);
  const std::string during = samples + R"(, "test_at": [10])";
  CHECK(Session(spec(during), options(grown, with_models(grown))).plan().trained.empty());
  CHECK(run(grown, during, with_models(grown)) == 4);
  run(whole, during);
  CHECK(results(grown) == results(whole));
  CHECK(run(grown, during, with_models(grown)) == 0);
}

TEST_CASE("a model file of before there were more settings is taken", "[unit]") {
  const Folder folder;
  run(folder, "", with_models(folder));
  const std::string file = folder.model_files()[0];
  std::string bytes = bytes_of(file);
  const std::size_t model = bytes.find("\"model\":");
  const std::size_t from = bytes.find(R"(,\"head_width\")", model), to = bytes.find('}', from);
  CHECK(to != std::string::npos);
  bytes.replace(from, to - from, "");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  length -= to - from;
  std::memcpy(bytes.data(), &length, sizeof length);
  write_atomically(file, bytes);
  CHECK(run(folder, "", with_models(folder)) == 0);
}

TEST_CASE("what is tested is the saved model", "[unit]") {
  const Folder folder, whole;
  run(folder, "", with_models(folder));
  const std::string file = folder.model_files()[0];
  SavedModel model = read_model(bytes_of(file), "model");
  for (float& weight : model.weights) weight = -weight;
  write_atomically(file, model_bytes(model));
  CHECK(run(folder, R"("multiples": [1, 2, 4])", with_models(folder)) == 1);
  run(whole, R"("multiples": [1, 2, 4])");
  const auto& at = [](const Json& json, std::size_t i) {
    return json["cells"][0]["evaluations"][i];
  };
  CHECK(at(results(folder), 1) == at(results(whole), 1));
  CHECK(at(results(folder), 2) != at(results(whole), 2));
  CHECK(at(results(folder), 3) == at(results(whole), 3));

  Continuation rerun = with_models(folder);
  rerun.rerun = {"copy:symbols=3/softmax/nape/n3/lr0.001/seed0"};
  CHECK(run(folder, "", rerun) == 1);
  CHECK(results(folder) == results(whole));
  CHECK(read_model(bytes_of(file), "model").weights != model.weights);
}

TEST_CASE("a model of another training is not taken", "[unit]") {
  const Folder folder;
  run(folder, R"("seeds": 2)", with_models(folder));
  const std::vector<std::string> files = folder.model_files();
  std::filesystem::copy_file(files[1], files[0], std::filesystem::copy_options::overwrite_existing);
  const Session session(spec(R"("seeds": 2, "multiples": [2])"),
                        options(folder, with_models(folder)));
  CHECK(session.plan().pending.size() == 2);
  CHECK(session.plan().trained.size() == 1);
}

TEST_CASE("tests of a saved model that are interrupted go on where they stopped", "[unit]") {
  const Folder folder, whole;
  const std::string more = R"("multiples": [1, 2, 4, 600], "test_samples": 6)";
  run(folder, "", with_models(folder));
  std::atomic<bool> stop{false};
  int stops = 0;
  while (true) {
    stop = false;
    RunOptions options_of_run;
    options_of_run.stop = &stop;
    Session session(spec(more), options(folder, with_models(folder)));
    std::int64_t samples = 0;
    if (session.run(options_of_run, {},
                    {[&](std::size_t, const CellProgress& progress) {
                       CHECK(progress.step == 0);
                       if (progress.test_length == 1800 && ++samples == 2 && stops < 2) stop = true;
                     },
                     {}}))
      break;
    ++stops;
    CHECK(folder.has_checkpoint());
  }
  CHECK(stops == 2);
  run(whole, more);
  CHECK(results(folder) == results(whole));
}

TEST_CASE("cells side by side give the same file, and none is left over", "[unit]") {
  const Folder one, two;
  run(one, R"("seeds": 3)");
  Session session(spec(R"("seeds": 3)"), options(two));
  std::vector<std::size_t> seen;
  std::set<std::size_t> told;
  RunOptions often;
  often.checkpoint_seconds = 0;
  CHECK(session.run(often, {.jobs = 2, .threads = 3},
                    {[&](std::size_t index, const CellProgress&) { told.insert(index); },
                     [&](std::size_t index, const CellRow&) { seen.push_back(index); }}));
  session.finish();
  std::sort(seen.begin(), seen.end());
  CHECK(seen == std::vector<std::size_t>{0, 1, 2});
  CHECK(told == std::set<std::size_t>{0, 1, 2});
  CHECK(results(two) == results(one));
  CHECK_FALSE(two.has_checkpoint());
}

TEST_CASE("without a file everything stays in memory", "[unit]") {
  Session session(spec(R"("seeds": 2)"), {});
  std::vector<std::size_t> seen;
  CHECK(
      session.run({}, {}, {{}, [&](std::size_t index, const CellRow&) { seen.push_back(index); }}));
  CHECK(seen == std::vector<std::size_t>{0, 1});
  CHECK(session.result().cells.size() == 2);
}
