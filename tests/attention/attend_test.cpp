// Streaming evaluation of one layer against the straightforward path, with and without skipping.

#include <cmath>
#include <limits>
#include <numeric>

#include "support/attending.hpp"
#include "support/catch.hpp"
#include "support/names.hpp"

using namespace attnspan;

namespace {

constexpr LayerShape shape{4, 4};
constexpr Index block = KeyStore<double>::block;
using Matrices = std::vector<MatrixView<float>>;

constexpr Index length = 5 * block + 33;

/// A sequence of which the rows at these places ask.
PackedRows asking(const std::vector<Index>& places, Index tokens = length) {
  PackedRows rows({tokens});
  rows.packing.places = rows.packing.query_rows = places;
  rows.packing.query_begin = {0, rows.packing.queries()};
  return rows;
}

/// The last 70 places: two tiles.
std::vector<Index> last_places() {
  std::vector<Index> places(70);
  std::iota(places.begin(), places.end(), length - 70);
  return places;
}

/// Rows that look back over 5 blocks and a bit: all of the last 70 and some earlier ones.
PackedRows long_rows() {
  std::vector<Index> places = last_places();
  places.insert(places.begin(), {0, 1, 63, 64, 127, 128, 300, 400, 511, 512});
  return asking(places);
}

/// Few rows with long gaps between them: blocks that matter to none of the later rows matter to the
/// earlier ones.
PackedRows rows_with_gaps() { return asking({10, 20, 3000, 3990}, 4000); }

/// Keys that lie around one direction in each block, and queries that look for one of them.
template <class Real>
LayerInputs<Real> clustered(Rng& rng, const PackedRows& rows, double size) {
  LayerInputs<Real> in(rng, rows, shape.d_model(), 0.1, 0.1);
  constexpr Index centre_count = 6;
  const Dense<Real> centres = normal_matrix<Real>(rng, centre_count, shape.d_model(), size);
  const auto add = [&](Dense<Real>& matrix, Index row, Index centre) {
    for (Index j = 0; j < matrix.cols; ++j) matrix(row, j) += centres(centre, j);
  };
  for (Index i = 0; i < in.k.rows; ++i) add(in.k, i, i / block % centre_count);
  for (Index i = 0; i < in.q.rows; ++i) add(in.q, i, rng.below(centre_count));
  return in;
}

/// Every pairing and encoding over every kind of keys, streamed against at once.
template <class Real>
void check_streaming(const PackedRows& some, bool skip, double bound) {
  std::uint64_t name = 0;
  for (const Variant& named : every_combination()) {
    const std::string &variant = named.attention, &position = named.position;
    const Heads<Real> attention = heads_of<Real>(shape, variant, position);
    const PackedRows rows = asking_for(attention, some);
    const auto check = [&](const std::string& kind, auto make_inputs) {
      INFO(variant << " under " << position << ", " << kind);
      Rng rng = random_numbers(++name);
      const AlignedVector<Real> parameters = moved_parameters(attention, rng, 0.3);
      const LayerInputs<Real> in = make_inputs(rng);
      CHECK(largest_difference(streamed(attention, parameters, rows, in, skip, leave_alone).numbers,
                               attended(attention, parameters, rows, in).numbers) < bound);
    };
    // Only streams that leave out keys can tell these apart.
    const bool skips = variant.rfind("softmax+", 0) == 0 || variant.rfind("entmax+", 0) == 0;
    if (!skips && rows.keys() > length) continue;
    for (const double size : skips ? std::vector<double>{0.01, 1.0, 5.0} : std::vector<double>{1})
      check("random of size " + shortest(size),
            [&](Rng& rng) { return LayerInputs<Real>(rng, rows, attention, size, 1); });
    for (const double size : skips ? std::vector<double>{1.0, 4.0} : std::vector<double>{})
      check("clusters of size " + shortest(size),
            [&](Rng& rng) { return clustered<Real>(rng, rows, size); });
  }
}

}  // namespace

TEST_CASE("streaming attention equals attention at once", "[property]") {
  check_streaming<double>(long_rows(), false, 1e-11);
  check_streaming<double>(rows_with_gaps(), false, 1e-11);
}

TEST_CASE("streaming attention with skipping equals attention at once", "[property]") {
  check_streaming<double>(long_rows(), true, 1e-11);
  check_streaming<double>(rows_with_gaps(), true, 1e-11);
}

// Scores reach 300 here, where float keeps 2^-24 300 = 2e-5 of a score, and so of a weight.
TEST_CASE("streaming float attention equals attention at once", "[property]") {
  check_streaming<float>(long_rows(), false, 5e-4);
  check_streaming<float>(long_rows(), true, 5e-4);
}

// The bounds are taken from honest keys; then the keys that should never be touched are replaced by
// ones that would outweigh all others, with values that would show.
TEST_CASE("steep distance biases leave far keys untouched", "[property]") {
  const PackedRows rows = asking(last_places());
  for (const std::string& variant : every_skipping_pairing())
    for (const std::string& position : {std::string("alibi"), std::string("nape")}) {
      INFO(variant << " under " << position);
      Rng rng = random_numbers(1);
      const Heads<float> attention = heads_of<float>(shape, variant, position);
      const AlignedVector<float> parameters = moved_parameters(attention, rng, 0.1);
      const LayerInputs<float> in(rng, rows, shape.d_model());
      // Slope 1/4 or 1 on head 0: 400 keys back is a bias of -100 and less.
      const auto poison = [&](const Matrices& keys, const Matrices& values) {
        for (Index j = 0; j < 2 * block; ++j)
          for (Index c = 0; c < shape.d_head; ++c) {
            keys[0].row(j)[c] = 1e4f * in.q(0, c);
            values[0].row(j)[c] = 1e6f;
          }
      };
      const auto first_head = [&](const Dense<float>& output) {
        AlignedVector<float> numbers;
        for (Index i = 0; i < output.rows; ++i)
          numbers.insert(numbers.end(), output.view().row(i), output.view().row(i) + shape.d_head);
        return numbers;
      };
      const auto honest = first_head(streamed(attention, parameters, rows, in, true, leave_alone));
      CHECK(first_head(streamed(attention, parameters, rows, in, true, poison)) == honest);
      CHECK(largest_difference(first_head(streamed(attention, parameters, rows, in, false, poison)),
                               honest) > 1e3);
    }
}

// Scores around 1,000 and -1,000 that differ by little: one unit in the last place of such a score
// is 6e-5, which alpha 64 turns from weight 0 into 0.8 of the largest weight.
TEST_CASE("skipping drops nothing that matters among large scores", "[property]") {
  const PackedRows rows = asking(last_places());
  for (const std::string& variant :
       {std::string("softmax"), std::string("entmax:1.5"), std::string("sparsemax"),
        std::string("entmax:3"), std::string("entmax:64")})
    for (const float sign : {1.0f, -1.0f})
      for (const double spread : {1e-6, 1e-5, 1e-4, 1e-3}) {
        INFO(variant << ", sign " << sign << ", spread " << spread);
        Rng rng = random_numbers(7);
        const Heads<float> attention = heads_of<float>(shape, variant, "nope");
        LayerInputs<float> in(rng, rows, shape.d_model(), spread, spread);
        for (float& number : in.q.numbers) number += sign * 22;  // 4 x 22 x 22 / sqrt(4) = 968
        for (float& number : in.k.numbers) number += 22;
        CHECK(largest_difference(streamed(attention, {}, rows, in, true, leave_alone).numbers,
                                 streamed(attention, {}, rows, in, false, leave_alone).numbers) <
              2e-6);
      }
}

TEST_CASE("a key that is not a number is not left out", "[unit]") {
  const PackedRows rows = asking({length - 1});
  Rng rng = random_numbers(8);
  for (const char* position : {"nope", "nape"}) {
    INFO(position);
    const Heads<float> attention = heads_of<float>(shape, "softmax", position);
    LayerInputs<float> in(rng, rows, shape.d_model());
    in.k(3, shape.d_head - 1) = std::numeric_limits<float>::quiet_NaN();
    CHECK(std::isnan(streamed(attention, {}, rows, in, true, leave_alone)(0, 0)));
  }
}

TEST_CASE("bounds on blocks leave unlike keys untouched", "[property]") {
  const PackedRows rows = asking({5 * block + 20, 5 * block + 32});
  for (const std::string& variant : every_skipping_pairing()) {
    INFO(variant);
    Rng rng = random_numbers(2);
    const Heads<float> attention = heads_of<float>(shape, variant, "nope");
    const AlignedVector<float> parameters = moved_parameters(attention, rng, 0.1);
    // Keys of block 1 and of the queries' own agree with the queries, all others are opposed.
    LayerInputs<float> in(rng, rows, shape.d_model(), 0.1, 0.1);
    std::fill(in.x.numbers.begin(), in.x.numbers.end(), 0.5f);
    for (float& number : in.q.numbers) number += 8;
    for (Index i = 0; i < in.k.rows; ++i)
      for (Index j = 0; j < in.k.cols; ++j)
        in.k(i, j) += i / block == 1 || i / block == 5 ? 8.0f : -8.0f;
    const auto poison_block = [&](Index b) {
      return [b](const Matrices& keys, const Matrices& values) {
        for (Index i = b * block; i < (b + 1) * block; ++i) {
          for (const MatrixView<float>& of_head : keys)
            std::fill_n(of_head.row(i), of_head.cols, 100.0f);
          for (const MatrixView<float>& of_head : values)
            std::fill_n(of_head.row(i), of_head.cols, 1e6f);
        }
      };
    };
    const auto with = [&](bool skip, const auto& poison) {
      return streamed(attention, parameters, rows, in, skip, poison).numbers;
    };
    const auto honest = with(true, leave_alone);
    for (const Index b : {0, 2, 3, 4}) {
      INFO("block " << b);
      CHECK(with(true, poison_block(b)) == honest);
      CHECK(largest_difference(with(false, poison_block(b)), honest) > 1e3);
    }
    // Block 1 lies behind skipped ones and matters.
    CHECK(largest_difference(with(true, poison_block(1)), honest) > 1e3);
  }
}

// Long enough for keys to be sifted in bytes, where the processor is fast at that.
TEST_CASE("sifting keys in bytes changes none of the result", "[property]") {
  constexpr Index stretch = KeySieve<float>::stretch, tokens = 2 * stretch + 1000;
  std::vector<Index> places{0, 1, stretch - 1, stretch, stretch + 700};
  for (Index i = 0; i < 40; ++i) places.push_back(2 * stretch - 20 + i);  // around an edge
  for (Index i = 0; i < 40; ++i) places.push_back(2 * stretch + 492 + i);
  for (Index i = 0; i < 40; ++i) places.push_back(tokens - 40 + i);
  const PackedRows rows = asking(places, tokens);
  const auto check = [&](const std::vector<std::string>& variants, const std::string& kind,
                         double size, const auto& change) {
    for (const std::string& variant : variants)
      for (const char* position : {"nope", "nape", "rope"}) {
        INFO(variant << " under " << position << ", " << kind << " of size " << size);
        Rng rng = random_numbers(9);
        const Heads<float> attention = heads_of<float>(shape, variant, position);
        const AlignedVector<float> parameters = moved_parameters(attention, rng, 0.1);
        LayerInputs<float> in(rng, rows, shape.d_model(), size, 1);
        change(in);
        const auto with = [&](bool skip) {
          const auto numbers = streamed(attention, parameters, rows, in, skip, leave_alone).numbers;
          return std::string(reinterpret_cast<const char*>(numbers.data()),
                             numbers.size() * sizeof(float));
        };
        CHECK((with(true) == with(false)));  // not printed: it is long
      }
  };
  const auto kinds = [](Index number) {  // equal keys, each kind all over the sequence
    return [number](LayerInputs<float>& in) {
      for (Index i = number; i < in.k.rows; ++i)
        std::copy_n(in.k.view().row(i * i % number), in.k.cols, in.k.view().row(i));
    };
  };
  const std::vector<std::string> usual{"entmax", "asentmax", "sparsemax"};
  for (const double size : {0.001, 1.0, 30.0}) {
    check(usual, "random keys", size, [](LayerInputs<float>&) {});
    check(usual, "keys of 50 kinds", size, kinds(50));
  }
  check(usual, "one key", 1, kinds(1));
  check({"entmax:1.3", "entmax:4"}, "random keys", 30, [](LayerInputs<float>&) {});
  check(usual, "a key that is not a number", 10, [](LayerInputs<float>& in) {
    in.k(stretch + 5, 1) = std::numeric_limits<float>::quiet_NaN();
  });
  check(usual, "infinite keys", 10, [](LayerInputs<float>& in) {
    in.k(7, 1) = std::numeric_limits<float>::infinity();
    in.k(stretch + 7, 1) = -std::numeric_limits<float>::infinity();
  });
}

TEST_CASE("attention over counted keys equals attention over listed ones", "[property]") {
  constexpr Index vocabulary = 9;
  const PackedRows rows({length}, 7);
  for (const Variant& named : every_combination()) {
    const std::string &variant = named.attention, &position = named.position;
    INFO(variant << " under " << position);
    const Heads<double> attention = heads_of<double>(shape, variant, position);
    const HeadStreaming<double> streaming(attention);
    std::vector<Index> heads;
    for (Index head = 0; head < shape.heads; ++head)
      if (streaming.countable(head)) heads.push_back(head);
    if (heads.empty()) continue;
    Rng rng = random_numbers(3);
    const AlignedVector<double> parameters = moved_parameters(attention, rng, 0.3);
    LayerInputs<double> in(rng, rows, shape.d_model(), 3);
    const Dense<double> keys = normal_matrix(rng, vocabulary, shape.d_model()),
                        values = normal_matrix(rng, vocabulary, shape.d_model());
    Dense<double> copies(rows.packing.queries(), vocabulary);
    std::vector<Index> tokens;
    for (Index i = 0; i < length; ++i) {
      tokens.push_back(rng.below(i < 100 ? 4 : vocabulary));
      std::copy_n(keys.view().row(tokens.back()), keys.cols, in.k.view().row(i));
      std::copy_n(values.view().row(tokens.back()), values.cols, in.v.view().row(i));
    }
    for (Index i = 0; i < copies.rows; ++i)
      for (Index j = 0; j <= rows.packing.places[static_cast<std::size_t>(i)]; ++j)
        copies(i, tokens[static_cast<std::size_t>(j)]) += 1;

    Dense<double> counted(in.q.rows, in.q.cols, 5);
    StreamingScratch<double> scratch;
    AlignedVector<double> unit;
    const auto queries = streaming.queries(parameters.data(), in.q.view(), in.x.view(),
                                           rows.packing.places, rows.positions, scratch);
    streaming.attend_counted(
        parameters.data(),
        {streaming.countable_keys(keys.view(), unit), values.view(), copies.view()}, queries, heads,
        counted.view(), scratch);
    const Dense<double> listed = attended(attention, parameters, rows, in);
    for (Index head = 0; head < shape.heads; ++head)
      for (Index i = 0; i < counted.rows; ++i)
        for (Index j = head * shape.d_head; j < (head + 1) * shape.d_head; ++j) {
          if (streaming.countable(head))
            REQUIRE(counted(i, j) == Approx(listed(i, j)).epsilon(0).margin(1e-11));
          else
            REQUIRE(counted(i, j) == 5);  // other heads' columns stay as they are
        }
  }
}
