#pragma once

#include <string>
#include <vector>

#include "model/transformer.hpp"
#include "support/numbers.hpp"

/// A transformer small enough for many of them.
inline attnspan::ModelConfig small_model(const std::string& attention,
                                         const std::string& position) {
  attnspan::ModelConfig config;
  config.layers = 2;
  config.heads = 4;
  config.d_model = 16;
  config.d_ff = 24;
  config.vocabulary = 11;
  config.attention = attention;
  config.position = position;
  return config;
}

/// Starting values, each moved by a normal number of this deviation: gains, biases and scales all
/// off their start.
template <class Real>
attnspan::AlignedVector<Real> moved_parameters(const attnspan::Transformer<Real>& model,
                                               attnspan::Rng& rng, double deviation) {
  attnspan::AlignedVector<Real> parameters = model.initial_parameters(1, 0);
  for (Real& parameter : parameters) parameter += static_cast<Real>(deviation * rng.normal());
  return parameters;
}

inline std::vector<std::int32_t> random_tokens(attnspan::Rng& rng, attnspan::Index count,
                                               std::int32_t vocabulary) {
  std::vector<std::int32_t> tokens;
  for (attnspan::Index i = 0; i < count; ++i)
    tokens.push_back(static_cast<std::int32_t>(rng.below(static_cast<std::uint32_t>(vocabulary))));
  return tokens;
}

/// Positions that the model's encoding gives to a sequence.
template <class Real>
std::vector<attnspan::Position> positions_of(const attnspan::Transformer<Real>& model,
                                             attnspan::Index tokens) {
  std::vector<attnspan::Position> positions(static_cast<std::size_t>(tokens));
  attnspan::Rng rng = random_numbers(99);
  model.positions().assign(positions, rng);
  return positions;
}

/// Stacks the sequences; every `answers`-th row of each and its last are scored.
template <class Real>
attnspan::PackedBatch packed(const attnspan::Transformer<Real>& model,
                             const std::vector<std::vector<std::int32_t>>& sequences,
                             attnspan::Index answers = 1) {
  attnspan::PackedBatch batch;
  batch.begin = batch.answer_begin = {0};
  for (const auto& tokens : sequences) {
    const auto count = static_cast<attnspan::Index>(tokens.size());
    for (attnspan::Index i = 0; i < count; ++i)
      if (i % answers == 0 || i + 1 == count) {
        batch.answer_rows.push_back(batch.rows() + i);
        batch.targets.push_back(tokens[static_cast<std::size_t>((i + 1) % count)]);
      }
    const std::vector<attnspan::Position> positions = positions_of(model, count);
    batch.tokens.insert(batch.tokens.end(), tokens.begin(), tokens.end());
    batch.positions.insert(batch.positions.end(), positions.begin(), positions.end());
    batch.begin.push_back(batch.rows());
    batch.noise.push_back(random_numbers(500 + batch.noise.size()));
    batch.answer_begin.push_back(static_cast<attnspan::Index>(batch.answer_rows.size()));
  }
  return batch;
}

/// Streaming logits of a batch of one sequence.
template <class Real>
attnspan::AlignedVector<Real> streamed(const attnspan::Transformer<Real>& model,
                                       const attnspan::AlignedVector<Real>& parameters,
                                       const attnspan::PackedBatch& batch, bool skip) {
  return model.stream_logits(parameters, batch.tokens, batch.positions, batch.answer_rows,
                             {.skip = skip, .stop = nullptr});
}
