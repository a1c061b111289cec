#include <algorithm>
#include <memory>
#include <mutex>

#include "core/checksum.hpp"
#include "core/mathematics.hpp"
#include "task/byte_model.hpp"
#include "task/text_bytes.hpp"
#include "task/text_retrieval.hpp"
#include "task/text_source.hpp"

namespace attnspan::tasks {
namespace {

/// Validation windows; a test of models in training needs no more.
constexpr std::int64_t validation_windows = 128;

/// A text's bytes, each predicted from those before it. A sample of length n has n + 1 bytes, of
/// which all but the first are answers. Test windows of every length end at the same bytes: a
/// longer one only has more to the left. A share of the training batches may be of text-retrieval
/// instead, from the same text.
class Text final : public Task {
 public:
  explicit Text(const Arguments& arguments)
      : name_(arguments.text("file")),
        windows_(arguments.integer("windows")),
        mix_(arguments.number("mix")),
        parts_(std::make_shared<const TextParts>(split_text(read_text(name_)))),
        hash_(name_hash(parts_->bytes)) {
    if (longest() < 1)
      throw InputError("text: '" + name_ + "' has " + std::to_string(parts_->bytes.size()) +
                       " bytes, and its last 15% must have 2 for each of " +
                       std::to_string(windows_) + " test windows.");
    if (mix_ == 0) return;
    const auto text = std::make_shared<const RetrievalText>(parts_);
    for (const std::string& form : retrieval_forms())
      mixed_.push_back(make_text_retrieval(form, text));
  }

  std::int32_t vocabulary_size() const override { return byte_kinds; }
  std::string token_name(Token token) const override { return byte_name(token); }

  void check_length(std::int64_t length) const override {
    check_length_range("text", length);
    if (length > longest())
      throw InputError("text: the test part of '" + name_ + "' has " + std::to_string(windows_) +
                       " windows of at most " + std::to_string(longest()) +
                       " bytes, which is below length " + std::to_string(length) +
                       "; take fewer windows or a longer text.");
    for (const auto& retrieval : mixed_) retrieval->check_length(length);
  }

  std::int64_t total_tokens(std::int64_t length, Purpose) const override { return length + 1; }
  std::int64_t answer_tokens(std::int64_t length, Purpose) const override { return length; }

  /// Anywhere in the part.
  Sample generate(Rng& rng, std::int64_t length, Purpose purpose) const override {
    const std::string_view part =
        purpose == Purpose::training ? parts_->training_part() : parts_->test_part();
    const auto size = static_cast<std::uint32_t>(length + 1);
    const auto starts = static_cast<std::uint32_t>(part.size()) - size + 1;
    return sample_of(part.substr(rng.below(starts), size));
  }

  /// What comes next does not follow from what is visible.
  std::vector<Token> solve(std::span<const Token>,
                           std::span<const std::int32_t> answers) const override {
    return std::vector<Token>(answers.size(), -1);
  }

  std::vector<Shortcut> shortcuts() const override {
    std::call_once(fitted_, [&] { model_ = std::make_unique<ByteModel>(parts_->training_part()); });
    const auto of_order = [&](std::string name, std::string summary, int order) {
      return Shortcut{std::move(name),
                      std::move(summary),
                      {},
                      [this, order](std::span<const Token> before, Token next) {
                        return model_->probability(before, next, order);
                      }};
    };
    return {of_order("unigram", "how often each byte stands in the training part", 0),
            of_order("order 5", "the last 5 bytes in the training part, Witten-Bell smoothing", 5)};
  }

  const Metric& metric() const override { return bits_per_byte(); }
  double token_chance() const override { return 1.0 / byte_kinds; }
  double chance(std::int64_t length) const override {
    return math::pow(token_chance(), static_cast<double>(length));
  }

  std::optional<std::int64_t> stored_count(Stream stream, std::int64_t length) const override {
    if (stream == Stream::test) return windows_;
    if (stream != Stream::validation) return std::nullopt;
    const auto size = static_cast<std::int64_t>(parts_->validation_part().size());
    return std::min(validation_windows, size / (length + 1));
  }

  Sample stored_sample(Stream stream, std::int64_t length, std::int64_t index) const override {
    const std::string_view part =
        stream == Stream::test ? parts_->test_part() : parts_->validation_part();
    const std::int64_t window =
        static_cast<std::int64_t>(part.size()) / *stored_count(stream, length);
    const std::int64_t end = (index + 1) * window;
    return sample_of(part.substr(static_cast<std::size_t>(end - length - 1),
                                 static_cast<std::size_t>(length + 1)));
  }

  /// Any form of retrieval equally often.
  const Task& of_batch(Rng& rng) const override {
    if (mixed_.empty() || rng.uniform() >= mix_) return *this;
    return *mixed_[rng.below(static_cast<std::uint32_t>(mixed_.size()))];
  }

  std::optional<std::uint64_t> data_hash() const override { return hash_; }

 private:
  /// Of a test window, one byte before the answers left out.
  std::int64_t longest() const {
    return static_cast<std::int64_t>(parts_->test_part().size()) / windows_ - 1;
  }

  static Sample sample_of(std::string_view bytes) {
    Sample sample;
    for (const char byte : bytes) {
      if (!sample.tokens.empty())
        sample.answers.push_back(static_cast<std::int32_t>(sample.tokens.size()));
      sample.tokens.push_back(static_cast<unsigned char>(byte));
    }
    return sample;
  }

  std::string name_;
  std::int64_t windows_;
  double mix_;
  std::shared_ptr<const TextParts> parts_;
  std::vector<std::unique_ptr<const Task>> mixed_;  ///< the forms of retrieval; none without a mix
  std::uint64_t hash_;
  mutable std::once_flag fitted_;
  mutable std::unique_ptr<const ByteModel> model_;  ///< once it is asked for: it takes seconds
};

}  // namespace

TaskEntry text() {
  const auto make = [](const Arguments& arguments) { return std::make_unique<Text>(arguments); };
  return {{.name = "text",
           .summary = "each byte of a text from those before it, in bits per byte",
           .parameters = {text_parameter(),
                          {.name = "windows",
                           .help = "windows into which the test part is divided",
                           .default_value = "32",
                           .minimum = 1,
                           .maximum = 4096},
                          {.name = "mix",
                           .help = "share of the training batches that are of text-retrieval, of "
                                   "any form, instead",
                           .default_value = "0",
                           .kind = ParameterSpec::Kind::number,
                           .minimum = 0,
                           .maximum = 1}}},
          make};
}

}  // namespace attnspan::tasks
