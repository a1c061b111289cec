#pragma once

#include <memory>
#include <string>
#include <vector>

#include "attention/attention.hpp"
#include "support/numbers.hpp"

/// Starting values of the attention's learned numbers, moved off their start by normal numbers of
/// this deviation.
template <class Real>
attnspan::AlignedVector<Real> moved_parameters(const attnspan::Attention<Real>& attention,
                                               attnspan::Rng& rng, double deviation) {
  attnspan::AlignedVector<Real> parameters;
  for (const attnspan::TensorSpec& spec : attention.tensors())
    for (attnspan::Index i = 0; i < spec.size(); ++i)
      parameters.push_back(static_cast<Real>(spec.mean + deviation * rng.normal()));
  return parameters;
}

/// Sequences of these lengths, stacked. Each asks for all its rows or, where `answers` is given,
/// for every row whose place is a multiple of it or the last.
struct PackedRows {
  attnspan::Packing packing;
  std::vector<attnspan::Position> positions;

  explicit PackedRows(const std::vector<attnspan::Index>& lengths, attnspan::Index answers = 1) {
    packing.key_begin = packing.query_begin = {0};
    for (const attnspan::Index length : lengths) {
      const attnspan::Index first = packing.key_begin.back();
      for (attnspan::Index place = 0; place < length; ++place) {
        positions.push_back(static_cast<attnspan::Position>(place));
        if (place % answers != 0 && place + 1 != length) continue;
        packing.places.push_back(place);
        packing.query_rows.push_back(first + place);
      }
      packing.key_begin.push_back(first + length);
      packing.query_begin.push_back(packing.queries());
    }
  }
  attnspan::Index keys() const { return packing.key_begin.back(); }
};

/// One layer's inputs for such rows: x and q for the queries, k and v for the keys. q and k are not
/// turned yet.
template <class Real>
struct LayerInputs {
  Dense<Real> x, q, k, v;

  LayerInputs(attnspan::Rng& rng, const PackedRows& rows, attnspan::Index d_model,
              double query_size = 1, double key_size = 1)
      : x(normal_matrix<Real>(rng, rows.packing.queries(), d_model)),
        q(normal_matrix<Real>(rng, rows.packing.queries(), d_model, query_size)),
        k(normal_matrix<Real>(rng, rows.keys(), d_model, key_size)),
        v(normal_matrix<Real>(rng, rows.keys(), d_model)) {}
};

/// Positions of the query rows.
inline std::vector<attnspan::Position> query_positions(const PackedRows& rows) {
  std::vector<attnspan::Position> positions;
  for (const attnspan::Index row : rows.packing.query_rows)
    positions.push_back(rows.positions[static_cast<std::size_t>(row)]);
  return positions;
}

/// Turns q and k as the layer around the attention does.
template <class Real>
void turn(const attnspan::Attention<Real>& attention, const PackedRows& rows, Dense<Real>& q,
          Dense<Real>& k) {
  attention.position().rotate(q.view(), query_positions(rows).data(), false);
  attention.position().rotate(k.view(), rows.positions.data(), false);
}

/// Attention of the packed rows, from queries and keys that are not turned yet.
template <class Real>
Dense<Real> attended(const attnspan::Attention<Real>& attention,
                     const attnspan::AlignedVector<Real>& parameters, const PackedRows& rows,
                     const LayerInputs<Real>& in) {
  Dense<Real> q = in.q, k = in.k, output(q.rows, q.cols);
  turn(attention, rows, q, k);
  attnspan::AttentionTrace<Real> trace;
  attnspan::AttentionScratch<Real> scratch;
  attention.forward(parameters.data(), rows.packing, rows.positions.data(), in.x.view(), q.view(),
                    k.view(), in.v.view(), output.view(), trace, scratch);
  return output;
}

/// Streaming attention of all heads over one sequence, tile by tile. `poison` may change the keys
/// and values after their bounds were taken: what is never touched cannot change the result.
template <class Real, class Poison>
Dense<Real> streamed(const attnspan::Attention<Real>& attention,
                     const attnspan::AttentionShape& shape,
                     const attnspan::AlignedVector<Real>& parameters, const PackedRows& rows,
                     const LayerInputs<Real>& in, bool skip, const Poison& poison) {
  constexpr attnspan::Index tile_rows = 64;
  Dense<Real> q = in.q, k = in.k, v = in.v, output(q.rows, q.cols, Real(77));
  turn(attention, rows, q, k);
  attnspan::KeyStore<Real> store;
  store.keys = k.view();
  store.values = v.view();
  store.positions = rows.positions.data();
  attention.bound_keys(store);
  poison(k, v);
  std::vector<attnspan::Index> heads;
  for (attnspan::Index head = 0; head < shape.heads; ++head) heads.push_back(head);
  attnspan::AttentionScratch<Real> scratch;
  const std::unique_ptr<attnspan::RowStream<Real>> stream = attention.stream();
  const attnspan::Index* places = rows.packing.places.data();
  attention.scale(parameters.data(), in.x.view(), places, q.view());
  for (attnspan::Index first = 0; first < q.rows; first += tile_rows) {
    const attnspan::Index count = std::min(tile_rows, q.rows - first);
    attention.attend(parameters.data(), store, q.view().middle_rows(first, count), places + first,
                     heads, skip, *stream, output.view().middle_rows(first, count), scratch);
  }
  return output;
}
