#include "record/errors.hpp"

#include <limits>

#include "record/statistics.hpp"

namespace attnspan {

void ErrorCounts::add(const ErrorCounts& more) {
  if (kinds.empty()) {
    *this = more;
    return;
  }
  answers += more.answers;
  wrong += more.wrong;
  places += more.places;
  for (std::size_t i = 0; i < kinds.size() && i < more.kinds.size(); ++i) {
    kinds[i].wrong += more.kinds[i].wrong;
    kinds[i].random += more.kinds[i].random;
  }
}

double ErrorCounts::share_of(const ErrorKind& kind) const { return share(kind.wrong, wrong); }

double ErrorCounts::random_share(const ErrorKind& kind) const {
  return places == 0 ? std::numeric_limits<double>::quiet_NaN()
                     : kind.random / static_cast<double>(places);
}

Json to_json(const ErrorCounts& errors) {
  Json kinds = Json::object();
  for (const ErrorKind& kind : errors.kinds)
    kinds[kind.name] = {{"wrong", kind.wrong}, {"random", kind.random}};
  return {{"answers", errors.answers},
          {"wrong", errors.wrong},
          {"guess", errors.guess},
          {"places", errors.places},
          {"kinds", std::move(kinds)}};
}

ErrorCounts read_errors(Fields fields) {
  ErrorCounts errors;
  errors.answers = fields.integer("answers");
  errors.wrong = fields.integer("wrong", 0, errors.answers);
  errors.guess = fields.name("guess");
  errors.places = fields.integer("places", 0, errors.answers);
  const Json& kinds = fields.any("kinds");
  const std::string path = fields.path("kinds");
  Fields names(kinds, path);
  for (const auto& item : kinds.items()) {
    ErrorKind& kind = errors.kinds.emplace_back();
    kind.name = shown_text(item.key(), "a key of " + path);
    Fields numbers = names.object(item.key());
    kind.wrong = numbers.integer("wrong", 0, errors.wrong);
    // Rounding may take a sum of shares a little over what it is a sum of.
    kind.random = numbers.number("random", 0, static_cast<double>(errors.places) * (1 + 1e-9));
    numbers.finish();
  }
  fields.finish();
  return errors;
}

}  // namespace attnspan
