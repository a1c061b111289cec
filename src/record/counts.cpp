#include "record/counts.hpp"

namespace attnspan {

void PositionSum::add(const PositionSum& more) {
  tokens += more.tokens;
  log_likelihood += more.log_likelihood;
}

void Counts::add(const Counts& more) {
  samples += more.samples;
  exact += more.exact;
  answer_tokens += more.answer_tokens;
  right_tokens += more.right_tokens;
  log_likelihood += more.log_likelihood;
  last.add(more.last);
  if (positions.size() < more.positions.size()) positions.resize(more.positions.size());
  for (std::size_t k = 0; k < more.positions.size(); ++k) positions[k].add(more.positions[k]);
  if (depth.size() < more.depth.size()) depth.resize(more.depth.size());
  for (std::size_t decile = 0; decile < more.depth.size(); ++decile) {
    depth[decile].samples += more.depth[decile].samples;
    depth[decile].exact += more.depth[decile].exact;
  }
}

}  // namespace attnspan
