#include "position/position.hpp"

namespace attnspan {
namespace {

/// No position encoding: the causal mask alone tells positions apart (Kazemnejad et al. 2023).
template <class Real>
class Nope final : public PositionEncoding<Real> {
 public:
  explicit Nope(const PositionShape&) {}
};

}  // namespace

namespace positions {
PositionEntry nope() {
  return position_entry_of<Nope>("nope",
                                 "no encoding; the causal mask alone tells positions apart");
}
}  // namespace positions
}  // namespace attnspan
