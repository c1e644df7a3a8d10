/// The networks of stream-x: dense layers (after at most one convolution) with layer norm before every
/// non-linearity, leaky ReLU, and a linear output; forward for one sample, and eligibility traces backward.
///
/// A Network is only the arithmetic and its layout. Parameters, traces and activations are the caller's
/// arrays of doubles, so that a million learners share nothing and hold nothing else.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "stream/random.hpp"

namespace stream::rl {

/// A picture of `channels` planes, its numbers ordered row, column, channel (channel last).
struct Grid {
  std::size_t rows = 0, columns = 0, channels = 0;
  friend bool operator==(const Grid&, const Grid&) = default;
};

class Network {
 public:
  struct Shape {
    std::size_t inputs = 0;
    std::vector<std::size_t> hidden;  ///< widths of the dense layers; none: a linear function of the input
    std::size_t outputs = 0;
    bool layer_norm = true;
    /// First layer: a convolution 3x3, stride 1, of the input seen as a grid, when filters > 0.
    Grid grid{};
    std::size_t filters = 0;  ///< a multiple of 8
    friend bool operator==(const Shape&, const Shape&) = default;
  };
  /// Throws std::logic_error for shapes that cannot be.
  explicit Network(Shape shape);

  /// The one of that shape, made when there is none: a million small learners stay in cache better without a
  /// layout each.
  static std::shared_ptr<const Network> shared(const Shape& shape);

  const Shape& shape() const { return shape_; }
  /// Doubles that parameters (and likewise traces) take, a multiple of 8, rows filled up with zeros included.
  std::size_t parameters() const { return parameters_; }
  /// Doubles that the activations of one sample take.
  std::size_t activations() const { return activations_; }

  /// Sparse initialisation: U(-1/sqrt(fan_in), 1/sqrt(fan_in)), then ceil(sparsity fan_in) inputs of each
  /// unit, drawn at random, get weight 0; biases 0. `w`: parameters() doubles.
  void initialise(double* w, Random& random, double sparsity) const;

  /// Outputs for the sample x (`inputs` numbers), with everything that `trace` needs left in `a`
  /// (activations() doubles, whatever they held before).
  std::span<const double> forward(const double* w, std::span<const double> x, double* a) const;
  std::span<const double> outputs(const double* a) const { return {a + output_, shape_.outputs}; }

  /// z <- decay z + gradient by w of sum over o of weight[o] output[o], at the sample that `a` holds. `a` is
  /// used as scratch: outputs stay. Returns ||z||_1 over all parameters.
  double trace(const double* w, double* a, std::span<const double> weight, double decay, double* z) const;

  /// Where the weight of input `in` to unit `out` of `layer` lies; the bias where in == fan_in. Layers count
  /// from 0, the output layer last. Inputs of the layer after a convolution, and a convolution's own, are
  /// ordered row, column, channel.
  std::size_t index(std::size_t layer, std::size_t out, std::size_t in) const;
  std::size_t layers() const { return hidden_.size() + 1; }
  std::size_t fan_in(std::size_t layer) const { return layer < hidden_.size() ? hidden_[layer].in : last_; }
  std::size_t units(std::size_t layer) const {
    return layer < hidden_.size() ? hidden_[layer].out : shape_.outputs;
  }

 private:
  /// A hidden layer: rows of weights by input, then the row of biases.
  struct Layer {
    std::size_t in, out, cols;  ///< cols: out, filled up
    std::size_t weights;        ///< offset into the parameters
    std::size_t input;          ///< offsets into the activations: what it sees, with a 1 behind
    std::size_t norm, after;    ///< normalised pre-activation, and what comes out
    std::size_t size;           ///< numbers that come out: out, or places x out
    std::size_t places = 1;     ///< of a convolution
    std::size_t scale;          ///< of the layer norm
  };
  void patches(const double* x, double* to) const;

  Shape shape_;
  std::vector<Layer> hidden_;
  std::size_t last_ = 0, last_cols_ = 0;                        ///< inputs of the output layer
  std::size_t head_ = 0, head_bias_ = 0, head_input_ = 0;       ///< rows of weights by output
  std::size_t output_ = 0, weight_ = 0, back_ = 0, forth_ = 0;  ///< activations: outputs, scratch
  std::size_t parameters_ = 0, activations_ = 0;
};

}  // namespace stream::rl
