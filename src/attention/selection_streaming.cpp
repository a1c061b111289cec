#include "attention/selection_streaming.hpp"

#include <algorithm>

#include "attention/selection.hpp"
#include "core/parallel.hpp"

namespace attnspan {
namespace {

constexpr Index rows_at_once = 64, keys_at_once = 1024;

Index parts(Index whole, Index part) { return (whole + part - 1) / part; }

}  // namespace

template <class Real>
void SelectionStreaming<Real>::start(Index tokens) {
  next_ = 0;
  taken_.assign(static_cast<std::size_t>(tokens), 0.0);
  scratches_.resize(static_cast<std::size_t>(threads()));
}

// First the scores of some rows, tile by tile; then, some keys at a time, what these rows take, so
// that every key's sum is formed in the order of the rows.
template <class Real>
MatrixView<const Real> SelectionStreaming<Real>::advance(const HeadStreaming<Real>& heads,
                                                         const Real* parameters,
                                                         const KeyStore<Real>& store,
                                                         std::span<const Index> places,
                                                         const std::atomic<bool>* stop) {
  const auto tokens = static_cast<Index>(taken_.size());
  const auto kept = reserve(kept_, static_cast<Index>(places.size()), tokens);
  const auto most = static_cast<Index>(scratches_.size()) * rows_at_once;
  std::size_t asked = 0;
  while (next_ <= places.back() && !(stop && stop->load(std::memory_order_relaxed))) {
    const Index count = std::min(most, places.back() + 1 - next_);
    const auto scores = reserve(scores_, count, tokens);
    parallel_for(parts(count, rows_at_once), [&](Index tile) {
      const Index first = tile * rows_at_once;
      heads.first_head_scores(parameters, store, next_ + first,
                              scores.middle_rows(first, std::min(rows_at_once, count - first)),
                              scratches_[static_cast<std::size_t>(thread_number())]);
    });
    parallel_for(parts(next_ + count, keys_at_once), [&](Index part) {
      const Index first = part * keys_at_once, last = std::min(tokens, first + keys_at_once);
      std::size_t row = asked;
      for (Index i = 0; i < count; ++i) {
        if (row < places.size() && places[row] == next_ + i) {
          Real* of_row = kept.row(static_cast<Index>(row++));
          for (Index j = first; j < last; ++j)
            of_row[j] = static_cast<Real>(taken_[static_cast<std::size_t>(j)]);
        }
        take(next_ + i, scores.row(i), first, last, 1.0, taken_.data());
      }
    });
    next_ += count;
    while (asked < places.size() && places[asked] < next_) ++asked;
  }
  return kept;
}

template class SelectionStreaming<float>;
template class SelectionStreaming<double>;

}  // namespace attnspan
