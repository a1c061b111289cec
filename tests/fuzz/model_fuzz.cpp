// Model files. The first byte says whether the bytes are a whole file, or a header before which its
// length is put and after which come as many weights as the smallest model has.
#include <cstring>
#include <string>

#include "fuzz/fuzz.hpp"
#include "model/model_file.hpp"

using namespace attnspan;

namespace {

constexpr std::size_t smallest_weights = 4 * 11;

std::string with_length(std::string_view header) {
  const std::uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes.append(header).append(smallest_weights, '\0');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes = fuzz::text(data + 1, size - 1);
  fuzz::allow_refusal([&] {
    const SavedModel model = read_model(data[0] % 2 ? std::string(bytes) : with_length(bytes), "m");
    const std::string written = model_bytes(model);
    const SavedModel back = fuzz::no_refusal([&] { return read_model(written, "m"); });
    fuzz::require(back.config == model.config && back.metadata == model.metadata &&
                      model_bytes(back) == written,
                  "what is written is read back as it was");
  });
  return 0;
}
