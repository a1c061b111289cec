#pragma once

#include <atomic>
#include <vector>

#include "attention/head_streaming.hpp"

namespace attnspan {

/// What the rows of one long sequence take from the scores of later rows, row after row; memory of
/// one number for each key, and for each key and row that is asked about at one time.
template <class Real>
class SelectionStreaming {
 public:
  /// Forgets everything; the sequence has so many tokens.
  void start(Index tokens);

  /// Goes on to the last of these places, which increase within a call and from call to call, and
  /// keeps what the rows before each of them have taken from its keys: places x tokens. On all
  /// threads, each with its scratch.
  MatrixView<const Real> advance(const HeadStreaming<Real>& heads, const Real* parameters,
                                 const KeyStore<Real>& store, std::span<const Index> places,
                                 const std::atomic<bool>* stop);

 private:
  Index next_ = 0;
  std::vector<double> taken_;
  AlignedVector<Real> scores_, kept_;
  std::vector<StreamingScratch<Real>> scratches_;
};

}  // namespace attnspan
