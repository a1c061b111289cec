// Checkpoints. The first byte says whether the bytes are the whole file, or one line with the row
// and then the state of the trainer, to which the header and its checksums are made.
#include <string>

#include "core/checksum.hpp"
#include "fuzz/fuzz.hpp"
#include "fuzz/scratch_file.hpp"
#include "sweep/checkpoint.hpp"
#include "sweep/journal.hpp"
#include "train/numerics.hpp"
#include "train/trainer.hpp"

using namespace attnspan;

namespace {

Trainer smallest_trainer() {
  const NamedTask task = make_task("copy:symbols=2");
  TrainingOptions options;
  options.train_length = 1;
  options.batch_size = 1;
  options.validation_samples = 1;
  return Trainer({1, 1, 2, 1, task.task->vocabulary_size(), "softmax", "nope"}, task.task, options);
}

/// The file that `save` would have written, if its parts were these.
std::string with_header(std::string_view bytes) {
  const std::size_t end = std::min(bytes.find('\n'), bytes.size());
  const std::string_view trainer = bytes.substr(std::min(end + 1, bytes.size()));
  Json row;
  fuzz::allow_refusal([&] { row = parse_json(bytes.substr(0, end), "row", false); });
  return checked_line({{"row", row}, {"trainer_crc32", crc32(trainer)}}) + std::string(trainer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::ScratchFile file;
  static Trainer trainer = smallest_trainer();
  if (size == 0) return 0;
  const std::string_view bytes = fuzz::text(data + 1, size - 1);
  file.write(data[0] % 2 ? std::string(bytes) : with_header(bytes));
  const auto checkpoint = CheckpointFile(file.path()).load();
  if (!checkpoint) return 0;
  fuzz::require(checkpoint->row.numerics == numerics(), "only what this program wrote is taken");
  const std::string before = trainer.save();
  bool loaded = false;
  fuzz::allow_refusal([&] {
    trainer.load(checkpoint->trainer);
    loaded = true;
  });
  fuzz::require(trainer.save() == (loaded ? checkpoint->trainer : before),
                "a state is taken whole or not at all");
  return 0;
}
