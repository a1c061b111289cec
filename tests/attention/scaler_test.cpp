#include "attention/scaler.hpp"

#include <cmath>

#include "support/catch.hpp"
#include "support/gradient.hpp"
#include "support/names.hpp"
#include "support/numbers.hpp"

using namespace attnspan;

namespace {

constexpr Index heads = 3, d_model = 5;
const std::vector<Index> places{0, 1, 2, 14, 63, 400, 65535};
const Index rows = static_cast<Index>(places.size());

AlignedVector<double> starting_parameters(const Scaler<double>& scaler) {
  AlignedVector<double> parameters;
  for (const TensorSpec& spec : scaler.tensors(heads, d_model))
    parameters.insert(parameters.end(), static_cast<std::size_t>(spec.size()), spec.mean);
  return parameters;
}

Dense<double> scales(const Scaler<double>& scaler, const AlignedVector<double>& parameters,
                     const Dense<double>& x) {
  Dense<double> s(rows, heads);
  scaler.forward(parameters.data(), x.view(), places.data(), s.view(), {});
  return s;
}

}  // namespace

TEST_CASE("no scaler is 1 everywhere", "[unit]") {
  const auto none = scaler_of("none").make<double>(usual_shape);
  CHECK(none->identity());
  CHECK(none->tensors(heads, d_model).empty());
  for (const double s : scales(*none, {}, Dense<double>(rows, d_model, 3)).numbers) CHECK(s == 1);
}

TEST_CASE("log scales by b log(i + 2)", "[unit]") {
  const auto log = scaler_of("log").make<double>(usual_shape);
  const Dense<double> x(rows, d_model, 1);
  // log 2 = 0.6931471806, log 3 = 1.0986122887, log 65537 = 11.0903701470
  Dense<double> s = scales(*log, {0.5, 2, -1}, x);
  CHECK(s(0, 0) == Approx(0.3465735903));
  CHECK(s(0, 1) == Approx(1.3862943611));
  CHECK(s(1, 2) == Approx(-1.0986122887));
  CHECK(s(6, 1) == Approx(22.1807402940));

  // It starts at scale 1 on the 15th token.
  s = scales(*log, starting_parameters(*log), x);
  CHECK(s(3, 0) == Approx(1));
  CHECK(s(0, 0) == Approx(0.25));
}

TEST_CASE("adaptive starts at 1.05 on every row, whatever the input", "[unit]") {
  const auto adaptive = scaler_of("adaptive").make<double>(usual_shape);
  Rng rng = random_numbers(1);
  const Dense<double> s =
      scales(*adaptive, starting_parameters(*adaptive), normal_matrix(rng, rows, d_model, 10));
  for (const double scale : s.numbers) CHECK(scale == Approx(1.05).epsilon(1e-12));
}

TEST_CASE("adaptive scales by 1 + softplus(w_b x + c_b) log(i+2)^(2 tanh(w_g x + c_g))", "[unit]") {
  const auto adaptive = scaler_of("adaptive").make<double>(usual_shape);
  AlignedVector<double> parameters = starting_parameters(*adaptive);
  REQUIRE(parameters.size() == d_model * 2 * heads + 2 * heads);
  // Input (1, 0, 0, 0, 0); weights of head 1: 2 into softplus, 0.5 into tanh; biases -1 and 0.25.
  Dense<double> x(rows, d_model);
  for (Index i = 0; i < rows; ++i) x(i, 0) = 1;
  parameters[1] = 2;
  parameters[heads + 1] = 0.5;
  parameters[d_model * 2 * heads + 1] = -1;
  parameters[d_model * 2 * heads + heads + 1] = 0.25;
  const Dense<double> s = scales(*adaptive, parameters, x);
  // softplus(1) = 1.3132616875; 2 tanh(0.75) = 1.2702979048;
  // log(2)^1.27.. = 0.6277388, log(16)^1.27.. = 3.6522836 (log 16 = 2.7725887222)
  CHECK(s(0, 1) == Approx(1 + 1.3132616875 * std::pow(0.6931471806, 1.2702979048)).epsilon(1e-9));
  CHECK(s(3, 1) == Approx(1 + 1.3132616875 * std::pow(2.7725887222, 1.2702979048)).epsilon(1e-9));
  // Other heads are as they were.
  CHECK(s(3, 0) == Approx(1.05));
}

TEST_CASE("gradient of every scaler", "[gradient]") {
  for (const std::string& name : every_scaler()) {
    INFO(name);
    const auto scaler = scaler_of(name).make<double>(usual_shape);
    Rng rng = random_numbers(2);
    AlignedVector<double> parameters = starting_parameters(*scaler);
    for (double& parameter : parameters) parameter += 0.4 * rng.normal();
    Dense<double> x = normal_matrix(rng, rows, d_model);
    const Dense<double> ds = normal_matrix(rng, rows, heads);
    const auto loss = [&] {
      return inner_product_of(scales(*scaler, parameters, x).numbers, ds.numbers);
    };
    // Gradients are added to what is there.
    Dense<double> dx(rows, d_model, 4);
    AlignedVector<double> dparameters(parameters.size(), -3);
    Dense<double> s(rows, heads), state(rows, heads * scaler->state_size());
    scaler->forward(parameters.data(), x.view(), places.data(), s.view(), state.view());
    CHECK(s.numbers == scales(*scaler, parameters, x).numbers);
    scaler->backward(parameters.data(), x.view(), places.data(), state.view(), ds.view(), dx.view(),
                     dparameters.data());
    for (double& slope : dx.numbers) slope -= 4;
    for (double& slope : dparameters) slope += 3;
    // Not every scaler looks at the input, but then its gradient must be nothing at all.
    check_gradient("x", x.numbers, dx.numbers, rng, loss, true);
    if (!parameters.empty()) check_gradient("its parameters", parameters, dparameters, rng, loss);
  }
}

TEST_CASE("float scales equal double ones", "[property]") {
  for (const std::string& name : every_scaler()) {
    INFO(name);
    const auto exact = scaler_of(name).make<double>(usual_shape);
    const auto rounded = scaler_of(name).make<float>(usual_shape);
    Rng rng = random_numbers(3);
    AlignedVector<double> parameters = starting_parameters(*exact);
    for (double& parameter : parameters) parameter += 0.4 * rng.normal();
    const Dense<double> x = normal_matrix(rng, rows, d_model);
    const AlignedVector<float> narrow_parameters(parameters.begin(), parameters.end());
    Dense<float> narrow_x(rows, d_model), narrow_s(rows, heads);
    std::copy(x.numbers.begin(), x.numbers.end(), narrow_x.numbers.begin());
    rounded->forward(narrow_parameters.data(), narrow_x.view(), places.data(), narrow_s.view(), {});
    const Dense<double> s = scales(*exact, parameters, x);
    for (std::size_t i = 0; i < s.numbers.size(); ++i)
      CHECK(static_cast<double>(narrow_s.numbers[i]) == Approx(s.numbers[i]).epsilon(1e-5));
  }
}

TEST_CASE("scalers start from the training length where they are told to", "[unit]") {
  // The mean of log 2 .. log 65 is 3.2586.
  double mean = 0;
  for (int n = 2; n <= 65; ++n) mean += std::log(n) / 64;
  const auto start = [](const char* name) {
    return scaler_of(name).make<double>(usual_shape)->tensors(heads, d_model)[0].mean;
  };
  CHECK(start("log") == Approx(1 / std::log(16)));
  CHECK(start("log:mean") == Approx(1 / mean));
  CHECK(start("log:1") == 1);
  // Nakanishi's start for 1,024 tokens, with his log n for our log(n + 1).
  const auto nakanishi = scaler_of("log:mean").make<double>(LayerShape{2, 4, 1024});
  CHECK(nakanishi->tensors(heads, d_model)[0].mean == Approx(0.168).margin(5e-4));
}

TEST_CASE("adaptive may start at random, as published", "[unit]") {
  const auto random = scaler_of("adaptive:random").make<double>(usual_shape);
  for (const TensorSpec& spec : random->tensors(heads, d_model)) {
    CHECK(spec.mean == 0);
    CHECK(spec.deviation == Approx(1 / std::sqrt(15)));  // 1/sqrt(3 d_model)
  }
}
