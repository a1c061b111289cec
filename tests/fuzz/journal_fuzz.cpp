// Journals. The first byte says whether the bytes are the whole file, or the rows below a good
// first line, each with the checksum that it should have: a fuzzer does not guess checksums.
#include <cstdio>
#include <string>

#include "core/checksum.hpp"
#include "fuzz/fuzz.hpp"
#include "fuzz/scratch_file.hpp"
#include "sweep/journal.hpp"

using namespace attnspan;

namespace {

const Json header{{"numerics", 1}, {"spec", {{"steps", 1}}}};

std::string with_checksums(std::string_view rows) {
  std::string text;
  while (!rows.empty()) {
    const std::size_t end = rows.find('\n');
    const std::string_view row = rows.substr(0, end);
    char checksum[9];
    std::snprintf(checksum, sizeof checksum, "%08x", crc32(row));
    text += checksum;
    text += ' ';
    text += row;
    if (end == std::string_view::npos) break;
    text += '\n';
    rows.remove_prefix(end + 1);
  }
  return text;
}

CellRow failed_row() {
  CellRow row;
  row.key = "key";
  row.task = "copy";
  row.attention = "softmax";
  row.position = "nope";
  row.train_length = 1;
  row.learning_rate = 0.001;
  row.status = Status::failed;
  row.message = "why";
  return row;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::ScratchFile file;
  if (size == 0) return 0;
  const std::string_view bytes = fuzz::text(data + 1, size - 1);
  file.write(data[0] % 2 ? std::string(bytes) : checked_line(header) + with_checksums(bytes));
  fuzz::allow_refusal([&] {
    const CellRow row = failed_row();
    std::size_t rows = 0;
    {
      Journal journal(file.path(), false);
      if (journal.header().is_null()) journal.begin(header, {});
      rows = journal.rows().size();
      journal.append(row);
    }
    fuzz::no_refusal([&] {
      const Journal again(file.path(), false);
      fuzz::require(again.rows().size() == rows + 1, "an appended row is the next one");
      fuzz::require(to_json(again.rows().back()) == to_json(row), "a row reads back as it was");
    });
  });
  return 0;
}
