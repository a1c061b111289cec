#include "train/batch.hpp"

namespace attnspan {

void BatchPacker::clear(PackedBatch& batch) const {
  batch.tokens.clear();
  batch.positions.clear();
  batch.answer_rows.clear();
  batch.targets.clear();
  batch.noise.clear();
  batch.begin.assign(1, 0);
  batch.answer_begin.assign(1, 0);
}

void BatchPacker::add(const Sample& sample, std::uint64_t identity, PackedBatch& batch) const {
  const auto first = static_cast<Index>(batch.tokens.size());
  const auto inputs = static_cast<std::size_t>(sample.answers.back());
  batch.tokens.insert(batch.tokens.end(), sample.tokens.begin(),
                      sample.tokens.begin() + sample.answers.back());
  batch.positions.resize(batch.tokens.size());
  Rng rng(seed_, Stream::positions, identity);
  positions_.assign({batch.positions.data() + first, inputs}, rng);
  batch.noise.emplace_back(seed_, Stream::dropout, identity,
                           static_cast<std::uint64_t>(replicate_));
  for (std::size_t i = 0; i < sample.answers.size(); ++i) {
    batch.answer_rows.push_back(first + sample.answers[i] - 1);
    batch.targets.push_back(sample.target(i));
  }
  batch.begin.push_back(static_cast<Index>(batch.tokens.size()));
  batch.answer_begin.push_back(static_cast<Index>(batch.answer_rows.size()));
}

}  // namespace attnspan
