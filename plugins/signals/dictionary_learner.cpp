#include "signals/dictionary_learner.hpp"

#include <algorithm>
#include <cmath>

#include "signals/matrix_kernels.hpp"
#include "stream/error.hpp"

namespace stream::signals {

DictionaryLearner::DictionaryLearner(const Options& options, Matrix start)
    : options_(options),
      d_(std::move(start)),
      g_(options.size, options.size),
      s_(options.size, options.size),
      y_(options.batch, options.size),
      z_(options.batch, options.size),
      w_(options.batch, options.size) {}

bool DictionaryLearner::learn(std::span<const double> y) {
  std::copy_n(y.begin(), options_.size, y_.row(filled_));
  if (++filled_ < options_.batch) return false;
  filled_ = 0;
  step();
  return true;
}

void DictionaryLearner::step() {
  ++t_;
  const auto t = static_cast<double>(t_);
  const double rho = options_.average ? std::max(std::min(1.0, 1 / std::sqrt(t)), options_.least_rho) : 1;
  const double gamma =
      options_.small_steps ? std::max(std::min(1.0, std::pow(t, -0.75)), options_.least_gamma) : 1;
  multiply(y_, d_, z_);
  spike_kernel(z_.row(0), w_.row(0), z_.values().size(), options_.power);
  multiply(y_, w_, g_, -rho / static_cast<double>(options_.batch), 1 - rho, true);
  if ((t_ - 1) % options_.polar_every == 0) {
    Matrix minus = g_;
    scale(minus, -1);
    s_ = polar(minus, d_);
    gap_ = inner_product(g_, d_) - inner_product(g_, s_);
  }
  for (std::size_t i = 0; i < d_.values().size(); ++i)
    d_.values()[i] = (1 - gamma) * d_.values()[i] + gamma * s_.values()[i];
}

double DictionaryLearner::gap_on(const Matrix& vectors) const {
  Matrix z(vectors.rows(), options_.size), g(options_.size, options_.size);
  multiply(vectors, d_, z);
  spike_kernel(z.row(0), z.row(0), z.values().size(), options_.power);
  multiply(vectors, z, g, -1 / static_cast<double>(vectors.rows()), 0, true);
  Matrix minus = g;
  scale(minus, -1);
  return inner_product(g, d_) - inner_product(g, polar(minus, d_));
}

std::size_t DictionaryLearner::bytes() const {
  return sizeof *this + 8 * (d_.values().size() * 3 + y_.values().size() * 3);
}

void DictionaryLearner::save(Archive& state) const {
  state.set("dictionary", d_.packed());
  state.set("gradient", g_.packed());
  state.set("direction", s_.packed());
  state.set("batch", y_.packed());
  state.set("filled", static_cast<std::uint64_t>(filled_));
  state.set("steps", t_);
  state.set("gap", gap_);
}

void DictionaryLearner::load(const Archive& state) {
  const std::size_t n = options_.size;
  const auto read = [&](const char* name, std::size_t rows) {
    const auto values = state.get<std::vector<double>>(name);
    if (values.size() != rows * n) throw bad_data(std::string("the saved '") + name + "' is of another size");
    return Matrix::of(values, rows, n);
  };
  d_ = read("dictionary", n);
  g_ = read("gradient", n);
  s_ = read("direction", n);
  y_ = read("batch", options_.batch);
  filled_ = state.get<std::uint64_t>("filled");
  if (filled_ >= options_.batch) throw bad_data("the saved mini-batch is of another size");
  t_ = state.get<std::int64_t>("steps");
  gap_ = state.get<double>("gap");
}

double recovery_error(const Matrix& a, const Matrix& b) {
  Matrix product(a.cols(), b.cols());
  multiply(a, b, product, 1, 0, true);
  double sum = 0;
  for (const double v : product.values()) sum += v * v * v * v;
  return std::abs(1 - sum / static_cast<double>(a.cols()));
}

}  // namespace stream::signals
