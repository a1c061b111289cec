#include "task/file_task.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/mathematics.hpp"
#include "core/names.hpp"
#include "record/json.hpp"

namespace attnspan {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 34;
constexpr Token largest_token = (1 << 24) - 1;

enum class Targets { after, each };

/// The samples of one file, or of a .src and its .trg.
struct StoredSplit {
  Stream stream = Stream::train;
  std::int64_t index = 0, length = 0;  ///< as its name has them; none in training
  std::vector<Sample> samples;
};

std::vector<Token> read_tokens(std::string_view line, const std::string& where, Token least) {
  std::vector<Token> tokens;
  const char* at = line.data();
  const char* const end = at + line.size();
  while (true) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r')) ++at;
    if (at == end) return tokens;
    Token token = 0;
    const auto [stop, error] = std::from_chars(at, end, token);
    const bool ended = stop == end || *stop == ' ' || *stop == '\t' || *stop == '\r';
    if (error != std::errc{} || !ended || token < least || token > largest_token) {
      const std::string_view rest(at, static_cast<std::size_t>(end - at));
      throw InputError(where + ": token numbers are from " + std::to_string(least) + " to " +
                       std::to_string(largest_token) + ", with blanks between, not '" +
                       std::string(rest.substr(0, std::min<std::size_t>(rest.find(' '), 40))) +
                       "'.");
    }
    tokens.push_back(token);
    at = stop;
  }
}

/// Calls visit(line, where) for each line; the last may lack its line feed.
template <class Visit>
void for_each_line(const std::string& bytes, const std::string& path, const Visit& visit) {
  std::string_view rest = bytes;
  for (std::int64_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    visit(rest.substr(0, end), "'" + path + "', line " + std::to_string(number));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

void check_sample(const Sample& sample, const std::string& where) {
  if (static_cast<std::int64_t>(sample.tokens.size()) > longest_length)
    throw InputError(where + ": a sample has at most " + std::to_string(longest_length) +
                     " tokens.");
}

Sample sample_after(const std::vector<Token>& source, const std::vector<Token>& target,
                    const std::string& where) {
  if (source.empty() || target.empty())
    throw InputError(where + ": a sample needs tokens in the .src and in the .trg.");
  Sample sample;
  sample.tokens = source;
  sample.tokens.insert(sample.tokens.end(), target.begin(), target.end());
  for (std::size_t p = source.size(); p < sample.tokens.size(); ++p)
    sample.answers.push_back(static_cast<std::int32_t>(p));
  return sample;
}

Sample sample_each(const std::vector<Token>& source, const std::vector<Token>& labels,
                   const std::string& where) {
  if (source.size() != labels.size())
    throw InputError(where + ": the .src has " + std::to_string(source.size()) +
                     " tokens and the .trg " + std::to_string(labels.size()) +
                     " labels; with targets=each they must be as many.");
  Sample sample;
  sample.tokens = source;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0) continue;
    sample.answers.push_back(static_cast<std::int32_t>(i + 1));
    sample.targets.push_back(labels[i]);
  }
  if (sample.answers.empty()) throw InputError(where + ": a sample needs a label at least.");
  return sample;
}

std::vector<Sample> read_pair(const std::string& path, const std::string& source,
                              const std::string& target, Targets targets) {
  std::vector<std::vector<Token>> sources;
  for_each_line(source, path + ".src", [&](std::string_view line, const std::string& where) {
    sources.push_back(read_tokens(line, where, 0));
  });
  std::vector<Sample> samples;
  for_each_line(target, path + ".trg", [&](std::string_view line, const std::string& where) {
    if (samples.size() == sources.size())
      throw InputError(where + ": the .src has " + std::to_string(sources.size()) + " lines only.");
    const std::vector<Token>& tokens = sources[samples.size()];
    samples.push_back(targets == Targets::after
                          ? sample_after(tokens, read_tokens(line, where, 0), where)
                          : sample_each(tokens, read_tokens(line, where, -1), where));
    check_sample(samples.back(), where);
  });
  if (samples.size() < sources.size())
    throw InputError("'" + path + ".trg' has " + std::to_string(samples.size()) +
                     " lines, but the .src has " + std::to_string(sources.size()) + ".");
  return samples;
}

std::vector<Token> read_list(const Json& json, const char* name, const std::string& where,
                             std::int64_t least, std::int64_t most) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_array() || found->empty())
    throw InputError(where + ": \"" + name + "\" must be a list of whole numbers.");
  std::vector<Token> list;
  for (const Json& item : *found) {
    const std::int64_t number = item.is_number_integer() ? item.get<std::int64_t>() : least - 1;
    if (number < least || number > most)
      throw InputError(where + ": \"" + name + "\" must have whole numbers from " +
                       std::to_string(least) + " to " + std::to_string(most) + ", not " +
                       to_line(item).substr(0, 40) + ".");
    list.push_back(static_cast<Token>(number));
  }
  return list;
}

std::vector<Sample> read_json_lines(const std::string& path, const std::string& bytes) {
  std::vector<Sample> samples;
  for_each_line(bytes, path + ".jsonl", [&](std::string_view line, const std::string& where) {
    const Json json = parse_json(line, where, false);
    if (!json.is_object())
      throw InputError(where + ": a sample is an object with \"tokens\" and \"answers\".");
    Sample sample;
    sample.tokens = read_list(json, "tokens", where, 0, largest_token);
    const bool labelled = json.contains("targets");
    const auto count = static_cast<std::int64_t>(sample.tokens.size());
    sample.answers = read_list(json, "answers", where, 1, labelled ? count : count - 1);
    if (std::adjacent_find(sample.answers.begin(), sample.answers.end(),
                           [](Token a, Token b) { return a >= b; }) != sample.answers.end())
      throw InputError(where + ": \"answers\" must be increasing positions.");
    if (labelled) sample.targets = read_list(json, "targets", where, 0, largest_token);
    if (labelled && sample.targets.size() != sample.answers.size())
      throw InputError(where + ": there must be as many \"targets\" as \"answers\".");
    check_sample(sample, where);
    samples.push_back(std::move(sample));
  });
  return samples;
}

/// What a name says, without its ending: "train", "validation_0_64", "test_1_256".
StoredSplit read_name(const std::string& stem, const std::string& path) {
  StoredSplit named;
  if (stem == "train") return named;
  const std::vector<std::string> parts = split(stem, '_');
  const auto number = [&](const std::string& text) -> std::int64_t {
    std::int64_t value = -1;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    return error == std::errc{} && stop == end ? value : -1;
  };
  const bool known = parts.size() == 3 && (parts[0] == "validation" || parts[0] == "test");
  if (known) {
    named.stream = parts[0] == "test" ? Stream::test : Stream::validation;
    named.index = number(parts[1]);
    named.length = number(parts[2]);
  }
  if (!known || named.index < 0 || named.length < 1 || named.length > longest_length)
    throw InputError("'" + path +
                     "' must be named train, or validation or test with index and length, as in "
                     "test_1_256.");
  return named;
}

/// Everything that a folder holds.
struct Data {
  std::vector<StoredSplit> splits;  ///< training first, then validation and test by length
  std::uint64_t hash = 0;
};

Data read_folder(const std::string& folder, Targets targets) {
  std::map<std::string, std::map<std::string, std::string>> files;  // bytes by stem and ending
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::filesystem::path path = entry->path();
    const std::string ending = path.extension();
    if (ending == ".src" || ending == ".trg" || ending == ".jsonl")
      files[path.stem()][ending] = read_file(path, largest_file);
  }
  if (error) throw FileError("cannot read the folder '" + folder + "': " + error.message());

  Data data;
  std::string hashes;
  for (const auto& [stem, by_ending] : files) {
    const std::string path = folder + "/" + stem;
    StoredSplit split = read_name(stem, path + by_ending.begin()->first);
    for (const auto& [ending, bytes] : by_ending)
      hashes += stem + ending + " " + std::to_string(name_hash(bytes)) + "\n";
    const bool is_pair = by_ending.contains(".src") && by_ending.contains(".trg");
    if (by_ending.size() != (is_pair ? 2 : 1) || (!is_pair && !by_ending.contains(".jsonl")))
      throw InputError("'" + path + "' needs a .src with a .trg, or a .jsonl alone.");
    split.samples = is_pair ? read_pair(path, by_ending.at(".src"), by_ending.at(".trg"), targets)
                            : read_json_lines(path, by_ending.at(".jsonl"));
    if (split.samples.empty()) throw InputError("'" + path + "' has no samples.");
    data.splits.push_back(std::move(split));
  }
  data.hash = name_hash(hashes);
  std::sort(data.splits.begin(), data.splits.end(), [](const StoredSplit& a, const StoredSplit& b) {
    return std::pair(a.stream, a.length) < std::pair(b.stream, b.length);
  });
  return data;
}

/// The length of training, which the files with index 0 name.
std::int64_t training_length(const std::vector<StoredSplit>& splits, const std::string& folder) {
  std::set<std::int64_t> lengths;
  bool trains = false, validates = false, tests = false;
  const StoredSplit* before = nullptr;
  for (const StoredSplit& split : splits) {
    trains = trains || split.stream == Stream::train;
    validates = validates || (split.stream == Stream::validation && split.index == 0);
    tests = tests || split.stream == Stream::test;
    if (split.stream != Stream::train && split.index == 0) lengths.insert(split.length);
    if (before && before->stream == split.stream && before->length == split.length)
      throw InputError("'" + folder + "' has two files of one split for length " +
                       std::to_string(split.length) + ".");
    before = &split;
  }
  if (!trains || !validates || !tests)
    throw InputError("'" + folder + "' lacks " +
                     (!trains      ? "train"
                      : !validates ? "validation_0_LENGTH, LENGTH being that of training"
                                   : "a test file, test_0_LENGTH or test_1_LENGTH") +
                     ", as .src and .trg or as .jsonl.");
  if (lengths.size() != 1)
    throw InputError("'" + folder +
                     "' has files with index 0 of several lengths, and the length of training is "
                     "theirs.");
  return *lengths.begin();
}

class FileTask final : public Task {
 public:
  FileTask(std::string folder, Data data)
      : folder_(std::move(folder)),
        splits_(std::move(data.splits)),
        train_length_(training_length(splits_, folder_)) {
    std::set<Token> targets;
    for (const StoredSplit& split : splits_)
      for (const Sample& sample : split.samples) {
        vocabulary_ = std::max(vocabulary_,
                               *std::max_element(sample.tokens.begin(), sample.tokens.end()) + 1);
        for (std::size_t i = 0; i < sample.answers.size(); ++i) {
          vocabulary_ = std::max(vocabulary_, sample.target(i) + 1);
          targets.insert(sample.target(i));
        }
      }
    token_chance_ = 1 / static_cast<double>(targets.size());
  }

  std::int32_t vocabulary_size() const override { return vocabulary_; }
  std::string token_name(Token token) const override { return std::to_string(token); }

  void check_length(std::int64_t length) const override {
    if (!of_length(length).empty()) return;
    std::set<std::int64_t> lengths;
    for (const StoredSplit& split : splits_)
      if (split.stream != Stream::train) lengths.insert(split.length);
    std::vector<std::string> names;
    for (const std::int64_t each : lengths) names.push_back(std::to_string(each));
    throw InputError("'" + folder_ + "' has no samples of length " + std::to_string(length) +
                     "; there are those of " + join(names) + ".");
  }

  std::int64_t total_tokens(std::int64_t length, Purpose purpose) const override {
    std::size_t most = 0;
    for (const StoredSplit* split : used(length, purpose))
      for (const Sample& sample : split->samples) most = std::max(most, sample.tokens.size());
    return static_cast<std::int64_t>(most);
  }

  std::int64_t answer_tokens(std::int64_t length, Purpose purpose) const override {
    std::size_t most = 0;
    for (const StoredSplit* split : used(length, purpose))
      for (const Sample& sample : split->samples) most = std::max(most, sample.answers.size());
    return static_cast<std::int64_t>(most);
  }

  Sample generate(Rng& rng, std::int64_t, Purpose) const override {
    const std::vector<Sample>& lines = splits_.front().samples;
    return lines[rng.below(static_cast<std::uint32_t>(lines.size()))];
  }

  std::vector<StoredSamples> stored(Stream stream) const override {
    std::vector<StoredSamples> found;
    for (const StoredSplit& split : splits_)
      if (split.stream == stream)
        found.push_back({stream == Stream::train ? train_length_ : split.length,
                         static_cast<std::int64_t>(split.samples.size())});
    return found;
  }

  Sample stored_sample(Stream stream, std::int64_t length, std::int64_t index) const override {
    for (const StoredSplit& split : splits_)
      if (split.stream == stream && split.length == length)
        return split.samples.at(static_cast<std::size_t>(index));
    throw InputError("'" + folder_ + "' has no such samples of length " + std::to_string(length) +
                     ".");
  }

  std::vector<Token> solve(std::span<const Token>,
                           std::span<const std::int32_t> answers) const override {
    return std::vector<Token>(answers.size(), -1);
  }

  /// Of the samples that there are.
  double chance(std::int64_t length) const override {
    double sum = 0, count = 0;
    for (const StoredSplit* split : of_length(length))
      for (const Sample& sample : split->samples) {
        sum += math::pow(token_chance_, static_cast<double>(sample.answers.size()));
        ++count;
      }
    return count > 0 ? sum / count : 0;
  }

  double token_chance() const override { return token_chance_; }

 private:
  std::vector<const StoredSplit*> of_length(std::int64_t length) const {
    std::vector<const StoredSplit*> found;
    for (const StoredSplit& split : splits_)
      if (split.stream != Stream::train && split.length == length) found.push_back(&split);
    return found;
  }

  std::vector<const StoredSplit*> used(std::int64_t length, Purpose purpose) const {
    if (purpose == Purpose::training) return {&splits_.front()};
    return of_length(length);
  }

  std::string folder_;
  std::vector<StoredSplit> splits_;
  std::int64_t train_length_;
  std::int32_t vocabulary_ = 0;
  double token_chance_ = 0;
};

}  // namespace

const Part& file_part() {
  static const Part part{
      .name = "file",
      .summary = "your own data, file:FOLDER; docs/data.md says which files it holds",
      .parameters = {{.name = "targets",
                      .help = "where a .trg belongs: after the .src, or a label to each token",
                      .default_value = "after",
                      .kind = ParameterSpec::Kind::choice,
                      .choices = {"after", "each"}}}};
  return part;
}

bool is_file_task(std::string_view text) { return text == "file" || text.starts_with("file:"); }

NamedTask make_file_task(std::string_view text) {
  std::vector<std::string> parts = split(text.substr(std::min<std::size_t>(text.size(), 5)), ',');
  const std::string folder = parts.front();
  if (folder.empty()) throw InputError("the task file needs the folder of the data: file:FOLDER.");
  std::string hash;
  std::vector<std::string> others;
  for (auto part = parts.begin() + 1; part != parts.end(); ++part)
    if (part->starts_with("hash="))
      hash = part->substr(5);
    else
      others.push_back(*part);
  const Arguments arguments("file", join(others, ","), file_part().parameters);
  Data data =
      read_folder(folder, arguments.text("targets") == "each" ? Targets::each : Targets::after);
  const std::string found = hash_digits(data.hash);
  if (!hash.empty() && hash != found)
    throw InputError("the data in '" + folder + "' have changed: their hash is " + found +
                     ", and that of the data that were used is " + hash.substr(0, 40) + ".");
  const std::string differing = arguments.differing();
  return {"file:" + folder + (differing.empty() ? "" : "," + differing),
          "file:" + folder + "," + arguments.resolved() + ",hash=" + found,
          std::make_shared<FileTask>(folder, std::move(data))};
}

}  // namespace attnspan
