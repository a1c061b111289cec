#pragma once

#include "support/attending.hpp"
#include "support/gradient.hpp"

/// Holds every gradient of the attention (inputs, queries, keys, values, learned numbers) against
/// central differences, through the rotation where there is one.
inline void check_attention_gradient(const attnspan::Attention<double>& attention,
                                     attnspan::AlignedVector<double> parameters,
                                     const PackedRows& rows, LayerInputs<double> in,
                                     attnspan::Rng& rng) {
  const Dense<double> doutput = normal_matrix(rng, in.q.rows, in.q.cols);
  const auto loss = [&] {
    return inner_product_of(attended(attention, parameters, rows, in).numbers, doutput.numbers);
  };
  Dense<double> q = in.q, k = in.k, output(q.rows, q.cols);
  turn(attention, rows, q, k);
  attnspan::AttentionTrace<double> trace;
  attnspan::AttentionScratch<double> scratch;
  attention.forward(parameters.data(), rows.packing, rows.positions.data(), in.x.view(), q.view(),
                    k.view(), in.v.view(), output.view(), trace, scratch);
  // dq is replaced; the others are added to.
  Dense<double> dq(q.rows, q.cols, 9), dk(k.rows, k.cols, 2), dv(k.rows, k.cols, -1),
      dx(q.rows, q.cols, 4);
  attnspan::AlignedVector<double> dparameters(parameters.size(), 3);
  attention.backward(parameters.data(), rows.packing, rows.positions.data(), in.x.view(), q.view(),
                     k.view(), in.v.view(), doutput.view(), trace, dq.view(), dk.view(), dv.view(),
                     dx.view(), dparameters.data(), scratch);
  const auto subtract = [](auto& numbers, double start) {
    for (double& number : numbers) number -= start;
  };
  subtract(dk.numbers, 2);
  subtract(dv.numbers, -1);
  subtract(dx.numbers, 4);
  subtract(dparameters, 3);
  attention.position().rotate(dq.view(), query_positions(rows).data(), true);
  attention.position().rotate(dk.view(), rows.positions.data(), true);

  check_gradient("q", in.q.numbers, dq.numbers, rng, loss);
  check_gradient("k", in.k.numbers, dk.numbers, rng, loss);
  check_gradient("v", in.v.numbers, dv.numbers, rng, loss);
  check_gradient("x", in.x.numbers, dx.numbers, rng, loss, true);
  std::size_t offset = 0;
  for (const attnspan::TensorSpec& spec : attention.tensors()) {
    const auto size = static_cast<std::size_t>(spec.size());
    check_gradient(spec.name, std::span<double>(parameters).subspan(offset, size),
                   std::span<const double>(dparameters).subspan(offset, size), rng, loss);
    offset += size;
  }
  REQUIRE(offset == parameters.size());
}
