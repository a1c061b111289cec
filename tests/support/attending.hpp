#pragma once

#include <memory>
#include <string>
#include <vector>

#include "attention/head_streaming.hpp"
#include "attention/head_training.hpp"
#include "attention/selection_streaming.hpp"
#include "support/numbers.hpp"

/// The heads that these names stand for.
template <class Real>
attnspan::Heads<Real> heads_of(const attnspan::LayerShape& shape, const std::string& variant,
                               const std::string& position) {
  return attnspan::Heads<Real>(shape, attnspan::make_parts<Real>(shape, variant, position));
}

/// Starting values of the heads' learned numbers, moved off their start by normal numbers of
/// this deviation.
template <class Real>
attnspan::AlignedVector<Real> moved_parameters(const attnspan::Heads<Real>& heads,
                                               attnspan::Rng& rng, double deviation) {
  attnspan::AlignedVector<Real> parameters;
  for (const attnspan::TensorSpec& spec : heads.tensors())
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
  attnspan::Index keys() const { return packing.keys(); }

  /// The packing with the positions of its rows, which must outlive it.
  attnspan::Packing placed() const {
    attnspan::Packing rows = packing;
    rows.positions = positions.data();
    for (const attnspan::Index row : packing.query_rows)
      rows.query_positions.push_back(positions[static_cast<std::size_t>(row)]);
    return rows;
  }
};

/// Every row of the same sequences where these heads need every row to ask, else the rows.
template <class Real>
PackedRows asking_for(const attnspan::Heads<Real>& heads, const PackedRows& rows) {
  if (!heads.normalizer(attnspan::Phase::training).selective()) return rows;
  std::vector<attnspan::Index> lengths;
  for (std::size_t s = 0; s + 1 < rows.packing.key_begin.size(); ++s)
    lengths.push_back(rows.packing.key_begin[s + 1] - rows.packing.key_begin[s]);
  return PackedRows(lengths);
}

/// One layer's inputs for such rows: x and q for the queries, k, v and context for the keys. q and
/// k are not turned yet.
template <class Real>
struct LayerInputs {
  Dense<Real> x, q, k, v, context;

  LayerInputs(attnspan::Rng& rng, const PackedRows& rows, attnspan::Index d_model,
              double query_size = 1, double key_size = 1)
      : x(normal_matrix<Real>(rng, rows.packing.queries(), d_model)),
        q(normal_matrix<Real>(rng, rows.packing.queries(), d_model, query_size)),
        k(normal_matrix<Real>(rng, rows.keys(), d_model, key_size)),
        v(normal_matrix<Real>(rng, rows.keys(), d_model)),
        context(normal_matrix<Real>(rng, rows.keys(), d_model)) {}

  /// The same for these heads, whose queries and keys may be several.
  LayerInputs(attnspan::Rng& rng, const PackedRows& rows, const attnspan::Heads<Real>& heads,
              double query_size = 1, double key_size = 1)
      : LayerInputs(rng, rows, heads.shape().d_model(), query_size, key_size) {
    const attnspan::Index more = heads.views() * heads.shape().width();
    if (more == q.cols) return;
    q = normal_matrix<Real>(rng, rows.packing.queries(), more, query_size);
    k = normal_matrix<Real>(rng, rows.keys(), more, key_size);
  }

  attnspan::HeadInputs<Real> view() const {
    return {q.view(), k.view(), v.view(), x.view(), context.view()};
  }
};

/// Attention of the packed rows, all at once.
template <class Real>
Dense<Real> attended(const attnspan::Heads<Real>& heads,
                     const attnspan::AlignedVector<Real>& parameters, const PackedRows& rows,
                     const LayerInputs<Real>& in,
                     attnspan::Phase phase = attnspan::Phase::evaluation) {
  Dense<Real> output(in.q.rows, in.v.cols);
  attnspan::HeadTrace<Real> trace;
  attnspan::HeadTraining<Real>(heads).forward(parameters.data(), phase, rows.placed(), in.view(),
                                              output.view(), trace);
  return output;
}

/// Streaming attention of all heads over one sequence, tile by tile. `poison` may change the keys
/// and values, as they enter the scores, after their bounds were taken: what is never touched
/// cannot change the result.
template <class Real, class Poison>
Dense<Real> streamed(const attnspan::Heads<Real>& heads,
                     const attnspan::AlignedVector<Real>& parameters, const PackedRows& rows,
                     const LayerInputs<Real>& in, bool skip, const Poison& poison) {
  constexpr attnspan::Index tile_rows = 64;
  const attnspan::HeadStreaming<Real> streaming(heads);
  Dense<Real> output(in.q.rows, in.v.cols, Real(77));
  attnspan::KeyStore<Real> store;
  attnspan::StreamingScratch<Real> scratch;
  streaming.open(rows.positions, store);
  streaming.put(parameters.data(), 0, in.k.view(), in.v.view(), store, scratch);
  streaming.close(parameters.data(), in.context.view(), true, store);
  std::vector<attnspan::Index> every;
  for (attnspan::Index head = 0; head < heads.shape().heads; ++head) every.push_back(head);
  streaming.sift(every, store);
  attnspan::SelectionStreaming<Real> selection;
  if (streaming.selective()) {
    streaming.put_selectors(parameters.data(), 0, in.q.view(), in.x.view(), store, scratch);
    selection.start(in.k.rows);
  }
  poison(store.keys, store.values);
  const std::span<const attnspan::Index> places(rows.packing.places);
  for (attnspan::Index first = 0; first < in.q.rows; first += tile_rows) {
    const attnspan::Index count = std::min(tile_rows, in.q.rows - first);
    const auto of_tile =
        places.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    const auto queries =
        streaming.queries(parameters.data(), in.q.view().middle_rows(first, count),
                          in.x.view().middle_rows(first, count), of_tile, rows.positions, scratch);
    attnspan::MatrixView<const Real> taken;
    if (streaming.selective())
      taken = selection.advance(streaming, parameters.data(), store, of_tile, nullptr);
    streaming.attend(parameters.data(), store, {of_tile, queries, taken}, every, skip,
                     output.view().middle_rows(first, count), scratch);
  }
  return output;
}

constexpr auto leave_alone = [](auto&, auto&) {};
