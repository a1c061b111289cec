// Results files: read, written back, merged with themselves, compared and rendered.
#include "fuzz/fuzz.hpp"
#include "record/result.hpp"
#include "report/compare.hpp"
#include "report/format.hpp"
#include "report/table.hpp"

using namespace attnspan;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::allow_refusal([&] {
    const Result result =
        result_from_json(parse_json(fuzz::text(data, size), "result", false), "result");
    fuzz::require(merge_cells({result, result}).size() <= result.cells.size(),
                  "a cell that is there twice counts once");
    fuzz::allow_refusal([&] {
      const Json json = result_document(result);
      fuzz::require(result_document(
                        fuzz::no_refusal([&] { return result_from_json(json, "result"); })) == json,
                    "what is written is read");
      without_timings(json);
    });
    const Comparison comparison =
        compare({result}, result.cells.empty() ? "" : result.cells.front().attention);
    for (const FormatEntry& format : format_catalog())
      fuzz::require(format.render(comparison).ends_with('\n'), "a document ends with a line feed");
  });
  return 0;
}
