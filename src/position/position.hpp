#pragma once

#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "catalog/part.hpp"
#include "ops/matrix.hpp"
#include "position/layer_shape.hpp"
#include "position/positions.hpp"

namespace attnspan {

/// Whether a vector asks or is asked for.
enum class Role { query, key };

/// One query row as a bias sees it, and the keys that it is asked about. Where an encoding reads no
/// features, there are none.
template <class Real>
struct BiasRow {
  Position query = 0;                   ///< where the row stands
  const Position* keys = nullptr;       ///< where the keys stand, none later than the row
  Index count = 0;                      ///< of keys
  const Real* vector = nullptr;         ///< the head's query as it enters the scores
  const Real* features = nullptr;       ///< what `read` made of the row's own token
  MatrixView<const Real> key_features;  ///< and of each key: keys x features

  /// The same row and keys first .. first+number-1 of it.
  BiasRow part(Index first, Index number) const {
    BiasRow row = *this;
    row.keys += first;
    row.count = number;
    if (row.key_features.data) row.key_features = key_features.middle_rows(first, number);
    return row;
  }
};

/// Where the gradient of a row's bias goes, all of it added: to what the encoding learns, to the
/// features of the row's token and of its keys, and to the row's query.
template <class Real>
struct BiasGradient {
  Real* parameters = nullptr;
  Real* features = nullptr;
  MatrixView<Real> key_features;
  Real* vector = nullptr;
};

/// Makes known to attention where a query or key stands: by adding to the embedding, by turning
/// queries and keys, or by adding a bias to the scores. One file of src/position/encodings/
/// overrides what it needs; the driver asks for nothing else. Immutable and thread-safe.
template <class Real>
class PositionEncoding {
 public:
  virtual ~PositionEncoding() = default;

  /// Learned tensors, in the order in which `parameters` pointers hold them.
  virtual std::vector<TensorSpec> tensors() const { return {}; }

  /// The positions below this are known; no sequence may have another one.
  virtual Position known_positions() const { return std::numeric_limits<Position>::max(); }

  /// The encoding of evaluation, with the same learned tensors; this one, unless it acts
  /// differently there. Only `turn` may.
  virtual const PositionEncoding& at_evaluation() const { return *this; }

  // What is added to the embedding. It has learned tensors of its own, of which the model keeps one
  // set however many layers have the encoding.

  virtual bool embeds() const { return false; }
  virtual std::vector<TensorSpec> embedding_tensors() const { return {}; }

  /// Adds to each row of the stream (rows x d_model) what stands for its position.
  virtual void embed(const Real* /*parameters*/, const Position* /*positions*/,
                     MatrixView<Real> /*stream*/) const {}
  virtual void embed_backward(const Position* /*positions*/, ConstMatrixView<Real> /*dstream*/,
                              Real* /*dparameters*/) const {}

  // Queries and keys.

  /// Numbers of a head's query and key once turned; 0: they are left as they are.
  virtual Index width() const { return 0; }

  /// Turns every head's part of each row by its position: `from`, rows x (heads d_head), into `to`,
  /// rows x (heads width).
  virtual void turn(const Real* /*parameters*/, Role, const Position* /*positions*/,
                    ConstMatrixView<Real> /*from*/, MatrixView<Real> /*to*/) const {}

  /// Writes dfrom and adds to dparameters.
  virtual void turn_backward(const Real* /*parameters*/, Role, const Position* /*positions*/,
                             ConstMatrixView<Real> /*from*/, ConstMatrixView<Real> /*dto*/,
                             MatrixView<Real> /*dfrom*/, Real* /*dparameters*/) const {}

  // Scores.

  /// Whether `add_bias` does anything for this head.
  virtual bool biased(Index /*head*/) const { return false; }

  /// Numbers per token and head that a bias needs of the tokens themselves, e.g. a running sum of
  /// gates.
  virtual Index features() const { return 0; }

  /// Works them out for one whole sequence from x (tokens x d_model, the layer's normed input);
  /// features: tokens x (heads features()).
  virtual void read(const Real* /*parameters*/, ConstMatrixView<Real> /*x*/,
                    MatrixView<Real> /*features*/) const {}

  /// Adds to dx and dparameters.
  virtual void read_backward(const Real* /*parameters*/, ConstMatrixView<Real> /*x*/,
                             ConstMatrixView<Real> /*features*/,
                             ConstMatrixView<Real> /*dfeatures*/, MatrixView<Real> /*dx*/,
                             Real* /*dparameters*/) const {}

  /// Numbers that a row passes from nearer keys to farther ones, where its bias depends on the
  /// scores between; `add_bias` finds them 0 at first and leaves them for the block of keys before.
  virtual Index carried() const { return 0; }

  /// Adds the bias of each key to its score. -infinity hides a key; keys the query may not see
  /// (later ones) are never asked for.
  virtual void add_bias(const Real* /*parameters*/, Index /*head*/, const BiasRow<Real>& /*row*/,
                        Real* /*scores*/, Real* /*carried*/) const {}

  /// Adds what the gradient of a whole row's biased scores brings. `scores` are those before the
  /// bias where it depends on them (`carried`); then it also adds to dscores, which become theirs.
  virtual void bias_backward(const Real* /*parameters*/, Index /*head*/,
                             const BiasRow<Real>& /*row*/, const Real* /*scores*/,
                             Real* /*dscores*/, const BiasGradient<Real>& /*gradient*/) const {}

  /// No bias of the row's last key or of any key before it is above this. Lets streaming evaluation
  /// leave out keys that cannot matter; infinity, as long as nothing better is said.
  virtual Real bias_bound(const Real* /*parameters*/, Index head,
                          const BiasRow<Real>& /*row*/) const {
    return biased(head) ? std::numeric_limits<Real>::infinity() : Real(0);
  }

  /// Whether the head's bias, and its bound, fall so far that distant keys are left out as a rule:
  /// for estimates of time.
  virtual bool fades(Index /*head*/) const { return false; }
};

/// One line of the catalog of src/position/encodings/. Building an encoding throws InputError when
/// the shape does not suit, e.g. an odd head width.
using PositionEntry = NumericPart<PositionEncoding, LayerShape>;

/// Every position encoding, by name. The definition is generated by CMake.
std::span<const PositionEntry> position_catalog();

/// Names of the literature for encodings that differ by layer: "swan-gpt" is
/// "(nope~rope:window=16~...)".
const std::vector<Alias>& position_aliases();

/// Reads an encoding with its arguments: "rope:base=500000". Throws InputError.
Choice<PositionEntry> position_choice(std::string_view text);

/// Builds an encoding in the precision asked for. Throws InputError.
template <class Real>
std::unique_ptr<PositionEncoding<Real>> make_position(std::string_view text,
                                                      const LayerShape& shape) {
  return position_choice(text).template make<Real>(shape);
}

}  // namespace attnspan
