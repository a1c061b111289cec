#include "record/counts.hpp"

namespace attnspan {

void Counts::add(const Counts& more) {
  samples += more.samples;
  exact += more.exact;
  answer_tokens += more.answer_tokens;
  right_tokens += more.right_tokens;
  log_likelihood += more.log_likelihood;
  last.tokens += more.last.tokens;
  last.log_likelihood += more.last.log_likelihood;
  if (positions.size() < more.positions.size()) positions.resize(more.positions.size());
  for (std::size_t k = 0; k < more.positions.size(); ++k) {
    positions[k].tokens += more.positions[k].tokens;
    positions[k].log_likelihood += more.positions[k].log_likelihood;
  }
  if (depth.size() < more.depth.size()) depth.resize(more.depth.size());
  for (std::size_t decile = 0; decile < more.depth.size(); ++decile) {
    depth[decile].samples += more.depth[decile].samples;
    depth[decile].exact += more.depth[decile].exact;
  }
}

}  // namespace attnspan
