#include "model/feed_forward.hpp"

#include <algorithm>
#include <cmath>

#include "ops/gelu.hpp"
#include "ops/product.hpp"
#include "ops/rmsnorm.hpp"
#include "ops/sigmoid.hpp"

namespace attnspan {

template <class Real>
FeedForward<Real>::FeedForward(Index d_model, Index d_ff, Index layers, bool gated)
    : d_model_(d_model), d_ff_(d_ff), gated_(gated) {
  const double fan_model = 1 / std::sqrt(static_cast<double>(d_model));
  const double fan_feed = 1 / std::sqrt(static_cast<double>(d_ff));
  // Every layer adds twice to the stream; its variance must not grow with the depth.
  const double depth = 1 / std::sqrt(2.0 * static_cast<double>(layers));
  tensors_ = {{"norm", 1, d_model, 1, 0},
              {"up", d_model, d_ff, 0, fan_model, true},
              {"down", d_ff, d_model, 0, fan_feed * depth, true}};
  up_ = norm_ + tensors_[0].size();
  down_ = up_ + tensors_[1].size();
  gate_ = down_ + tensors_[2].size();
  if (gated) tensors_.push_back({"gate", d_model, d_ff, 0, fan_model, true});
}

template <class Real>
void FeedForward<Real>::forward(const Real* parameters, ConstMatrixView<Real> input,
                                MatrixView<Real> output, FeedForwardTrace<Real>& trace) const {
  const Index rows = input.rows;
  const auto normed = reserve(trace.normed, rows, d_model_);
  rmsnorm<Real>(input, parameters + norm_, normed, reserve(trace.inverse_rms, rows, 1).data);
  const auto hidden = reserve(trace.hidden, rows, d_ff_);
  product<Real>(normed, {parameters + up_, d_model_, d_ff_}, hidden);
  const auto activated = reserve(trace.activated, rows, d_ff_);
  if (gated_) {
    const auto gate = reserve(trace.gate, rows, d_ff_), opened = reserve(trace.opened, rows, d_ff_);
    product<Real>(normed, {parameters + gate_, d_model_, d_ff_}, gate);
    sigmoid(gate.data, rows * d_ff_, opened.data);
    for (Index j = 0; j < rows * d_ff_; ++j)
      activated.data[j] = gate.data[j] * opened.data[j] * hidden.data[j];
  } else {
    gelu(hidden.data, rows * d_ff_, activated.data);
  }
  if (output.data != input.data)
    for (Index i = 0; i < rows; ++i) std::copy_n(input.row(i), d_model_, output.row(i));
  product<Real>(activated, {parameters + down_, d_ff_, d_model_}, output, Into::add);
}

template <class Real>
void FeedForward<Real>::backward(const Real* parameters, ConstMatrixView<Real> input,
                                 const FeedForwardTrace<Real>& trace, MatrixView<Real> dstream,
                                 Real* dparameters, FeedForwardScratch<Real>& scratch) const {
  const Index rows = input.rows;
  const auto dhidden = reserve(scratch.dhidden, rows, d_ff_);
  product_bt<Real>(dstream, {parameters + down_, d_ff_, d_model_}, dhidden);
  product_at<Real>({trace.activated.data(), rows, d_ff_}, dstream,
                   {dparameters + down_, d_ff_, d_model_}, Into::add);
  const auto dgate = reserve(scratch.dgate, gated_ ? rows : 0, d_ff_);
  if (gated_) {
    for (Index j = 0; j < rows * d_ff_; ++j) {
      const auto at = static_cast<std::size_t>(j);
      const Real gate = trace.gate[at], opened = trace.opened[at];
      dgate.data[j] = dhidden.data[j] * trace.hidden[at] * opened * (1 + gate * (1 - opened));
      dhidden.data[j] *= gate * opened;
    }
  } else {
    gelu_backward(trace.hidden.data(), rows * d_ff_, dhidden.data);
  }
  product_at<Real>({trace.normed.data(), rows, d_model_}, dhidden,
                   {dparameters + up_, d_model_, d_ff_}, Into::add);
  const auto dnormed = reserve(scratch.dnormed, rows, d_model_);
  product_bt<Real>(dhidden, {parameters + up_, d_model_, d_ff_}, dnormed);
  if (gated_) {
    product_at<Real>({trace.normed.data(), rows, d_model_}, dgate,
                     {dparameters + gate_, d_model_, d_ff_}, Into::add);
    product_bt<Real>(dgate, {parameters + gate_, d_model_, d_ff_}, dnormed, Into::add);
  }
  rmsnorm_backward<Real>(input, parameters + norm_, trace.inverse_rms.data(), dnormed, dstream,
                         dparameters + norm_);
}

template class FeedForward<float>;
template class FeedForward<double>;

}  // namespace attnspan
