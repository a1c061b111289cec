#include "support/gradient.hpp"

#include "ops/cross_entropy.hpp"
#include "ops/gelu.hpp"
#include "ops/product.hpp"
#include "ops/rmsnorm.hpp"
#include "support/numbers.hpp"

using namespace attnspan;

// The backward pass of c = a b is dc b^T and a^T dc: the pairing of the three variants.
TEST_CASE("gradient of a product", "[gradient]") {
  Rng rng = random_numbers(1);
  Dense<double> a = normal_matrix(rng, 9, 5), b = normal_matrix(rng, 5, 7);
  const Dense<double> dc = normal_matrix(rng, 9, 7);
  const auto loss = [&] {
    Dense<double> c(9, 7);
    product<double>(a.view(), b.view(), c.view());
    return inner_product_of(c.numbers, dc.numbers);
  };
  Dense<double> da(9, 5), db(5, 7);
  product_bt<double>(dc.view(), b.view(), da.view());
  product_at<double>(a.view(), dc.view(), db.view());
  check_gradient("a", a.numbers, da.numbers, rng, loss);
  check_gradient("b", b.numbers, db.numbers, rng, loss);
}

TEST_CASE("gradient of rmsnorm", "[gradient]") {
  Rng rng = random_numbers(2);
  for (const double size : {0.01, 1.0, 50.0}) {
    INFO("inputs of size " << size);
    Dense<double> x = normal_matrix(rng, 6, 11, size);
    AlignedVector<double> gain = normal_vector(rng, 11);
    const Dense<double> dy = normal_matrix(rng, 6, 11);
    AlignedVector<double> inverse_rms(6);
    const auto loss = [&] {
      Dense<double> y(6, 11);
      rmsnorm<double>(x.view(), gain.data(), y.view(), inverse_rms.data());
      return inner_product_of(y.numbers, dy.numbers);
    };
    loss();
    // Gradients are added to what is there.
    Dense<double> dx(6, 11, 3);
    AlignedVector<double> dgain(11, -2);
    rmsnorm_backward<double>(x.view(), gain.data(), inverse_rms.data(), dy.view(), dx.view(),
                             dgain.data());
    for (double& slope : dx.numbers) slope -= 3;
    for (double& slope : dgain) slope += 2;
    check_gradient("x", x.numbers, dx.numbers, rng, loss);
    check_gradient("gain", gain, dgain, rng, loss);
  }
}

TEST_CASE("gradient of gelu", "[gradient]") {
  Rng rng = random_numbers(3);
  AlignedVector<double> x = normal_vector(rng, 200, 2);
  const AlignedVector<double> dy = normal_vector(rng, 200);
  AlignedVector<double> dx = dy;
  gelu_backward(x.data(), 200, dx.data());
  check_gradient("x", x, dx, rng, [&] {
    AlignedVector<double> y(200);
    gelu(x.data(), 200, y.data());
    return inner_product_of(y, dy);
  });
}

TEST_CASE("gradient of cross entropy", "[gradient]") {
  Rng rng = random_numbers(4);
  Dense<double> logits = normal_matrix(rng, 5, 9, 3);
  const std::int32_t targets[] = {0, 8, 4, 4, 1};
  Dense<double> gradient = logits;
  cross_entropy<double>(gradient.view(), targets);
  check_gradient("logits", logits.numbers, gradient.numbers, rng, [&] {
    Dense<double> copy = logits;
    return cross_entropy<double>(copy.view(), targets);
  });
}
