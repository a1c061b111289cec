// JSON: the table as in a results file, and with each row how it compares with the baseline.
#include "report/format.hpp"

namespace attnspan::formats {
namespace {

std::string render(const Comparison& comparison) { return to_text(to_json(comparison)); }

}  // namespace

FormatEntry json() { return {"json", "json", "everything, as JSON", render}; }

}  // namespace attnspan::formats
