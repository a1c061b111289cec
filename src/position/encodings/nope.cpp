#include "position/position.hpp"

namespace attnspan {
namespace {

/// No position encoding: the causal mask alone tells positions apart (Kazemnejad et al. 2023).
template <class Real>
class Nope final : public PositionEncoding<Real> {};

}  // namespace

namespace positions {
PositionEntry nope() {
  return PositionEntry::of<Nope>(
      {.name = "nope",
       .summary = "no encoding; the causal mask alone tells positions apart",
       .formula = "z_ij",
       .source = "Kazemnejad et al. 2023, arXiv 2305.19466"});
}
}  // namespace positions
}  // namespace attnspan
