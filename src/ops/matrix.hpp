#pragma once

#include <algorithm>
#include <string>
#include <type_traits>

#include "core/aligned.hpp"

namespace attnspan {

/// A row-major matrix that somebody else owns. Rows lie `stride` numbers apart, so a view can be a
/// block of columns.
template <class T>
struct MatrixView {
  T* data = nullptr;
  Index rows = 0;
  Index cols = 0;
  Index stride = 0;

  MatrixView() = default;
  MatrixView(T* data_, Index rows_, Index cols_) : MatrixView(data_, rows_, cols_, cols_) {}
  MatrixView(T* data_, Index rows_, Index cols_, Index stride_)
      : data(data_), rows(rows_), cols(cols_), stride(stride_) {}

  /// A view to read is made from a view to write.
  template <class U>
  requires std::is_same_v<const U, T> MatrixView(const MatrixView<U>& other)
      : data(other.data), rows(other.rows), cols(other.cols), stride(other.stride) {}

  T* row(Index i) const { return data + i * stride; }
  MatrixView middle_rows(Index first, Index count) const {
    return {row(first), count, cols, stride};
  }
  MatrixView middle_cols(Index first, Index count) const {
    return {data + first, rows, count, stride};
  }
};

/// A view to read, deduced from nothing but the caller's Real.
template <class Real>
using ConstMatrixView = MatrixView<const std::type_identity_t<Real>>;

/// A rows x cols matrix in `memory`, which grows when it has to and never shrinks: what it held is
/// gone.
template <class T>
MatrixView<T> reserve(AlignedVector<T>& memory, Index rows, Index cols) {
  const auto size = static_cast<std::size_t>(rows * cols);
  if (memory.size() < size) memory.resize(size);
  return {memory.data(), rows, cols};
}

/// The same, filled with zeros.
template <class T>
MatrixView<T> reserve_zeros(AlignedVector<T>& memory, Index rows, Index cols) {
  const MatrixView<T> view = reserve(memory, rows, cols);
  std::fill_n(view.data, rows * cols, T(0));
  return view;
}

/// Shape, name and starting values of one trained tensor.
struct TensorSpec {
  std::string name;
  Index rows = 1;
  Index cols = 1;
  double mean = 0;  ///< starting values are normal around the mean; no deviation: constant
  double deviation = 0;
  bool product = false;     ///< its gradient is one product a batch, added in one piece
  bool may_vanish = false;  ///< its gradient may be 0 in some model, without anything being wrong
  Index size() const { return rows * cols; }
};

}  // namespace attnspan
