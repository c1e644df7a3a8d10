#include "rl/network.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "rl/kernels.hpp"

namespace stream::rl {

namespace {
constexpr std::size_t kSide = 3;  ///< of a convolution's kernel
constexpr double kOne = 1;
}  // namespace

Network::Network(Shape shape) : shape_(std::move(shape)) {
  const auto room = [this](std::size_t n) { return std::exchange(activations_, activations_ + padded(n)); };
  const auto weights = [this](std::size_t n) { return std::exchange(parameters_, parameters_ + n); };
  if (shape_.inputs == 0 || shape_.outputs == 0)
    throw std::logic_error("a network without inputs or outputs");
  std::size_t width = shape_.inputs, widest = padded(shape_.outputs);
  // One more than the numbers themselves: the 1 that biases are multiplied with.
  std::size_t seen = 0;
  if (shape_.filters > 0) {
    const Grid& g = shape_.grid;
    if (g.rows < kSide || g.columns < kSide || g.rows * g.columns * g.channels != shape_.inputs)
      throw std::logic_error("the input is not the grid that the convolution expects");
    if (shape_.filters % kLanes != 0) throw std::logic_error("filters must be a multiple of 8");
    Layer layer{};
    layer.in = kSide * kSide * g.channels, layer.out = layer.cols = shape_.filters;
    layer.places = (g.rows - kSide + 1) * (g.columns - kSide + 1);
    layer.size = layer.places * layer.out;
    layer.weights = weights((layer.in + 1) * layer.cols);
    layer.input = room(layer.places * (layer.in + 1));
    layer.norm = room(layer.size), layer.after = room(layer.size + 1), layer.scale = room(1);
    hidden_.push_back(layer);
    width = layer.size, seen = layer.after;
  } else {
    seen = room(width + 1);
  }
  for (const std::size_t units : shape_.hidden) {
    if (units == 0) throw std::logic_error("a hidden layer without units");
    Layer layer{};
    layer.in = width, layer.out = layer.size = units, layer.cols = padded(units);
    layer.weights = weights((layer.in + 1) * layer.cols);
    layer.input = seen;
    layer.norm = room(layer.cols), layer.after = room(layer.cols + 1), layer.scale = room(1);
    hidden_.push_back(layer);
    width = units, seen = layer.after;
  }
  for (const Layer& layer : hidden_) widest = std::max({widest, padded(layer.size), padded(layer.in)});
  last_ = width, last_cols_ = padded(width), head_input_ = seen;
  head_ = weights(shape_.outputs * last_cols_);
  head_bias_ = weights(padded(shape_.outputs));
  output_ = room(shape_.outputs), weight_ = room(shape_.outputs);
  back_ = room(widest), forth_ = room(widest);
}

std::shared_ptr<const Network> Network::shared(const Shape& shape) {
  static std::mutex mutex;
  static std::vector<std::weak_ptr<const Network>> known;
  const std::scoped_lock lock(mutex);
  std::erase_if(known, [](const auto& network) { return network.expired(); });
  for (const auto& network : known)
    if (auto found = network.lock(); found && found->shape() == shape) return found;
  auto made = std::make_shared<const Network>(shape);
  known.push_back(made);
  return made;
}

std::size_t Network::index(std::size_t layer, std::size_t out, std::size_t in) const {
  if (layer < hidden_.size()) return hidden_[layer].weights + in * hidden_[layer].cols + out;
  return in == last_ ? head_bias_ + out : head_ + out * last_cols_ + in;
}

void Network::initialise(double* w, Random& random, double sparsity) const {
  std::fill(w, w + parameters_, 0.0);
  std::vector<std::size_t> inputs;
  for (std::size_t layer = 0; layer < layers(); ++layer) {
    const std::size_t n = fan_in(layer);
    const double bound = 1 / std::sqrt(static_cast<double>(n));
    // Sums of rounding must not lift 0.9 x 10 to ten zeros of ten.
    const auto zeros =
        std::min(n, static_cast<std::size_t>(std::ceil(sparsity * static_cast<double>(n) - 1e-9)));
    inputs.resize(n);
    for (std::size_t out = 0; out < units(layer); ++out) {
      for (std::size_t in = 0; in < n; ++in) w[index(layer, out, in)] = random.uniform(-bound, bound);
      std::iota(inputs.begin(), inputs.end(), std::size_t{0});
      for (std::size_t k = 0; k < zeros; ++k) {
        std::swap(inputs[k], inputs[k + random.below(n - k)]);
        w[index(layer, out, inputs[k])] = 0;
      }
    }
  }
}

/// The convolution's input at each place, row by row, each followed by a 1.
void Network::patches(const double* x, double* to) const {
  const Grid& g = shape_.grid;
  const std::size_t run = kSide * g.channels;
  for (std::size_t row = 0; row + kSide <= g.rows; ++row)
    for (std::size_t column = 0; column + kSide <= g.columns; ++column) {
      for (std::size_t k = 0; k < kSide; ++k) {
        const double* const from = x + ((row + k) * g.columns + column) * g.channels;
        to = std::copy(from, from + run, to);
      }
      *to++ = 1;
    }
}

std::span<const double> Network::forward(const double* w, std::span<const double> x, double* a) const {
  const Kernels& k = kernels();
  if (shape_.filters > 0)
    patches(x.data(), a + hidden_[0].input);
  else
    std::copy(x.begin(), x.end(), a + (hidden_.empty() ? head_input_ : hidden_[0].input));
  for (const Layer& layer : hidden_) {
    double* const input = a + layer.input;
    if (layer.places > 1) {
      for (std::size_t p = 0; p < layer.places; ++p)
        k.combine(w + layer.weights, input + p * (layer.in + 1), a + layer.norm + p * layer.cols,
                  layer.in + 1, layer.cols);
    } else {
      input[layer.in] = 1;
      k.combine(w + layer.weights, input, a + layer.norm, layer.in + 1, layer.cols);
    }
    a[layer.scale] = k.activate(a + layer.norm, a + layer.after, layer.size, shape_.layer_norm);
  }
  // What the output layer sees is filled up with zeros.
  std::fill(a + head_input_ + last_, a + head_input_ + last_cols_, 0.0);
  double* const y = a + output_;
  k.dots(w + head_, a + head_input_, y, shape_.outputs, last_cols_);
  for (std::size_t o = 0; o < shape_.outputs; ++o) y[o] += w[head_bias_ + o];
  return {y, shape_.outputs};
}

double Network::trace(const double* w, double* a, std::span<const double> weight, double decay,
                      double* z) const {
  const Kernels& k = kernels();
  std::fill(std::copy(weight.begin(), weight.end(), a + weight_), a + weight_ + padded(shape_.outputs), 0.0);
  double norm = k.trace(z + head_, a + weight_, a + head_input_, decay, shape_.outputs, last_cols_) +
                k.trace(z + head_bias_, &kOne, a + weight_, decay, 1, padded(shape_.outputs));
  if (hidden_.empty()) return norm;
  double *d = a + back_, *below = a + forth_;
  k.combine(w + head_, a + weight_, d, shape_.outputs, last_cols_);
  for (std::size_t l = hidden_.size(); l-- > 0;) {
    const Layer& layer = hidden_[l];
    k.activate_back(a + layer.norm, d, a[layer.scale], layer.size, shape_.layer_norm);
    // Beyond the units the weights are zero and have to stay it.
    std::fill(d + layer.size, d + padded(layer.size), 0.0);
    if (layer.places > 1) {
      norm += k.shared_trace(z + layer.weights, a + layer.input, d, decay, layer.in + 1, layer.cols,
                             layer.places);
      break;
    }
    norm += k.trace(z + layer.weights, a + layer.input, d, decay, layer.in + 1, layer.cols);
    if (l == 0) break;
    k.dots(w + layer.weights, d, below, layer.in, layer.cols);
    std::swap(d, below);
  }
  return norm;
}

}  // namespace stream::rl
