#pragma once

#include <map>

#include "support/attending.hpp"
#include "support/gradient.hpp"

/// Holds every gradient of the heads (inputs, queries, keys, values, learned numbers) against
/// central differences. Returns of each tensor whose gradient may vanish whether it did not.
inline std::map<std::string, bool> check_attention_gradient(
    const attnspan::Heads<double>& heads, attnspan::AlignedVector<double> parameters,
    const PackedRows& rows, LayerInputs<double> in, attnspan::Rng& rng) {
  const attnspan::HeadTraining<double> training(heads);
  const Dense<double> doutput = normal_matrix(rng, in.q.rows, in.v.cols);
  const auto loss = [&] {
    return inner_product_of(
        attended(heads, parameters, rows, in, attnspan::Phase::training).numbers, doutput.numbers);
  };
  Dense<double> output(in.q.rows, in.v.cols);
  attnspan::HeadTrace<double> trace;
  const attnspan::Packing packing = rows.placed();
  training.forward(parameters.data(), attnspan::Phase::training, packing, in.view(), output.view(),
                   trace);
  // Those of x and context are added to what is there, the others replace it.
  Dense<double> dq(in.q.rows, in.q.cols, 9), dk(in.k.rows, in.k.cols, 2),
      dv(in.v.rows, in.v.cols, -1), dx(in.x.rows, in.x.cols, 4),
      dcontext(in.context.rows, in.context.cols, 5);
  attnspan::AlignedVector<double> dparameters(parameters.size(), 3);
  attnspan::HeadScratch<double> scratch;
  training.backward(parameters.data(), packing, in.view(), doutput.view(), trace,
                    {dq.view(), dk.view(), dv.view(), dx.view(), dcontext.view()},
                    dparameters.data(), scratch);
  const auto subtract = [](auto& numbers, double start) {
    for (double& number : numbers) number -= start;
  };
  subtract(dx.numbers, 4);
  subtract(dcontext.numbers, 5);
  subtract(dparameters, 3);

  check_gradient("q", in.q.numbers, dq.numbers, rng, loss);
  check_gradient("k", in.k.numbers, dk.numbers, rng, loss);
  check_gradient("v", in.v.numbers, dv.numbers, rng, loss);
  check_gradient("x", in.x.numbers, dx.numbers, rng, loss, true);
  check_gradient("context", in.context.numbers, dcontext.numbers, rng, loss, true);
  std::map<std::string, bool> is_there;
  std::size_t offset = 0;
  for (const attnspan::TensorSpec& spec : heads.tensors()) {
    const auto size = static_cast<std::size_t>(spec.size());
    const bool found = check_gradient(
        spec.name, std::span<double>(parameters).subspan(offset, size),
        std::span<const double>(dparameters).subspan(offset, size), rng, loss, spec.may_vanish);
    if (spec.may_vanish) is_there[spec.name] = found;
    offset += size;
  }
  REQUIRE(offset == parameters.size());
  return is_there;
}
