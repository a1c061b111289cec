#include "sweep/journal.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

#include "core/error.hpp"
#include "support/catch.hpp"
#include "support/rows.hpp"
#include "sweep/checkpoint.hpp"
#include "train/numerics.hpp"

using namespace attnspan;

namespace {

const Json header = {{"numerics", 1}, {"spec", {{"task", "copy"}, {"steps", 5}}}};

CellRow row(int seed) {
  CellRow made;
  made.key = "copy/softmax/nape/n4/lr0.001/seed" + std::to_string(seed);
  made.task = "copy";
  made.attention = "softmax";
  made.position = "nape";
  made.train_length = 4;
  made.learning_rate = 1e-3;
  made.seed = seed;
  made.train = {5, 100, 0.1 + seed, 0.25, 400};
  made.evaluations.push_back(test::evaluation("validation", 1, 7, 8));
  return made;
}

/// A folder of its own for each test, gone afterwards.
class Folder {
 public:
  Folder() {
    char pattern[] = "/tmp/attnspan-journal-XXXXXX";
    path_ = ::mkdtemp(pattern);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file() const { return path_ + "/out.journal"; }

 private:
  std::string path_;
};

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

template <class Error>
std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

/// Opens a journal, and begins it where it has not begun.
void open(const std::string& path) {
  Journal journal(path, false);
  if (journal.header().is_null()) journal.begin(header, {});
}

std::string refusal(const std::string& path) {
  return refusal<InputError>([&] { open(path); });
}

bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  INFO(part);
  return text.find(part) != std::string::npos;
}

/// The bytes of a journal with this many rows.
std::string journal_of(int rows) {
  const Folder folder;
  {
    Journal journal(folder.file(), false);
    journal.begin(header, {});
    for (int i = 0; i < rows; ++i) journal.append(row(i));
  }
  return read(folder.file());
}

}  // namespace

TEST_CASE("a journal gives back its rows, to the last digit", "[unit]") {
  const Folder folder;
  {
    Journal journal(folder.file(), false);
    CHECK(journal.header().is_null());
    journal.begin(header, {});
    CHECK(journal.rows().empty());
    journal.reserve(1);
    journal.append(row(0));
    journal.append(row(1));
  }
  Journal journal(folder.file(), false);
  CHECK(journal.header() == header);
  REQUIRE(journal.rows().size() == 2);
  for (int i = 0; i < 2; ++i)
    CHECK(to_json(journal.rows()[static_cast<std::size_t>(i)]) == to_json(row(i)));
  journal.append(row(2));
  CHECK(read(folder.file()) == journal_of(3));
}

TEST_CASE("a journal cut at any byte keeps every whole row and goes on", "[property]") {
  const std::string whole = journal_of(2);
  const Folder folder;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write(folder.file(), whole.substr(0, size));
    std::size_t lines = 0;
    for (std::size_t i = 0; i < size; ++i) lines += whole[i] == '\n' ? 1 : 0;
    {
      Journal journal(folder.file(), false);
      if (lines == 0) journal.begin(header, {});
      REQUIRE(journal.rows().size() == (lines == 0 ? 0 : lines - 1));
      for (int i = static_cast<int>(journal.rows().size()); i < 2; ++i) journal.append(row(i));
    }
    REQUIRE(read(folder.file()) == whole);
  }
}

TEST_CASE("a damaged last line is dropped, a damaged earlier one is an error", "[property]") {
  const std::string whole = journal_of(3);
  const std::size_t first = whole.find('\n') + 1;
  const std::size_t last = whole.rfind('\n', whole.size() - 2) + 1;
  const Folder folder;
  for (std::size_t place = first; place < whole.size(); place += 7) {
    INFO(place);
    std::string damaged = whole;
    damaged[place] = damaged[place] == 'x' ? 'y' : 'x';
    write(folder.file(), damaged);
    if (place + 1 >= last) {
      // Without the line feed between them the last two rows are one line.
      Journal journal(folder.file(), false);
      CHECK(journal.rows().size() == (place < last ? 1 : 2));
    } else {
      CHECK(contains(refusal(folder.file()), "line"));
      CHECK(read(folder.file()) == damaged);  // nothing is lost by looking
    }
  }
}

TEST_CASE("zeros after the last row, as a power cut leaves them, are dropped", "[unit]") {
  const Folder folder;
  write(folder.file(), journal_of(2) + std::string(5000, '\0'));
  CHECK(Journal(folder.file(), false).rows().size() == 2);
  CHECK(read(folder.file()) == journal_of(2));
}

TEST_CASE("a journal that begins anew has the rows it is given", "[unit]") {
  const Folder folder;
  write(folder.file(), journal_of(2));
  Json other = header;
  other["spec"]["steps"] = 6;
  {
    Journal journal(folder.file(), false);
    CHECK(journal.header() == header);
    journal.begin(other, {row(1), row(4)});
    journal.append(row(5));
  }
  const Journal journal(folder.file(), false);
  CHECK(journal.header() == other);
  REQUIRE(journal.rows().size() == 3);
  CHECK(journal.rows()[1].seed == 4);
  const JournalContent content = read_journal(folder.file());
  CHECK(content.header == other);
  CHECK(content.rows.size() == 3);
}

TEST_CASE("a fresh journal overlooks whatever is there", "[unit]") {
  const Folder folder;
  for (const std::string& text : {journal_of(2), std::string("dear diary\n")}) {
    write(folder.file(), text);
    Journal journal(folder.file(), true);
    CHECK(journal.rows().empty());
    CHECK(read(folder.file()) == text);  // until it begins
    journal.begin(header, {});
    CHECK(read(folder.file()) == journal_of(0));
  }
}

TEST_CASE("a file that is no journal is left alone", "[unit]") {
  const Folder folder;
  for (const std::string& text : {std::string("dear diary\n"), std::string("dear diary"),
                                  std::string("{}\n"), checked_line({{"a", 1}})}) {
    write(folder.file(), text);
    CHECK(contains(refusal(folder.file()), "not a journal"));
    CHECK(read(folder.file()) == text);
  }
}

TEST_CASE("a second user of a journal is locked out until the first is gone", "[unit]") {
  const Folder folder;
  {
    const Journal first(folder.file(), false);
    CHECK(contains(refusal<FileError>([&] { Journal(folder.file(), false); }),
                   "another attnspan process"));
    CHECK(contains(refusal<FileError>([&] { Journal(folder.file(), true); }),
                   "another attnspan process"));
  }
  CHECK_NOTHROW(Journal(folder.file(), false));
}

TEST_CASE("a journal that vanishes under its writer is an error, not a loss unnoticed", "[unit]") {
  const Folder folder;
  Journal journal(folder.file(), false);
  journal.begin(header, {});
  std::filesystem::remove(folder.file());
  CHECK(contains(refusal<FileError>([&] { journal.append(row(0)); }), "removed"));
}

TEST_CASE("a journal that cannot be opened is a file error", "[unit]") {
  CHECK(
      contains(refusal<FileError>([] { Journal("/nowhere/out.journal", false); }), "No such file"));
}

TEST_CASE("a checkpoint reads back whole, or not at all", "[unit]") {
  const Folder folder;
  const CheckpointFile file(folder.file());
  CHECK(!file.load());
  const std::string trainer("any\n bytes\0 at all", 18);
  CellRow running = row(0);
  running.numerics = numerics();
  file.save({running, trainer});
  REQUIRE(file.load());
  CHECK(file.load()->trainer == trainer);
  CHECK(to_json(file.load()->row) == to_json(running));
  // Damaged or cut anywhere, it is as though there were none.
  const std::string bytes = read(folder.file());
  for (std::size_t place = 0; place < bytes.size(); place += 5) {
    std::string damaged = bytes;
    damaged[place] = static_cast<char>(damaged[place] ^ 1);
    write(folder.file(), damaged);
    CHECK(!file.load());
    write(folder.file(), bytes.substr(0, place));
    CHECK(!file.load());
  }
  running.numerics = numerics() + 1;
  file.save({running, trainer});
  CHECK(!file.load());
  file.remove();
  CHECK(!file.load());
}
