/// WDSR for the player: weights alone, weight norm folded, as numbers that a file holds and kernels run.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "nn/convolution.hpp"

namespace stream::super_resolution {

/// Yu et al., "Wide activation for efficient and accurate image super-resolution", arXiv 1808.08718 (WDSR-A),
/// as STDO's repository has it: x - 0.5; head 3x3; blocks of 3x3, ReLU, 3x3 with a skip; tail 3x3; a 5x5 skip
/// from the input; pixel shuffle; + 0.5.
struct WdsrShape {
  int scale = 4, features = 8, blocks = 2, expansion = 3;

  friend bool operator==(const WdsrShape&, const WdsrShape&) = default;
  /// What is wrong, or empty.
  std::string fault() const;
  int layers() const { return 2 * blocks + 3; }
  /// Head, the two of each block, tail, skip: channels in and out, side of the kernel.
  struct Layer {
    int in, out, size;
  };
  Layer layer(int index) const;
  std::int64_t parameters() const;     ///< folded: weights and biases
  std::int64_t multiply_adds() const;  ///< for one LR pixel
  /// Pixels of LR around one that its output depends on.
  int reach() const { return 2 * blocks + 2; }
};

/// How weights lie in a file.
enum class Precision : std::uint8_t { kFloat32, kFloat16, kInt8 };
const char* name_of(Precision precision);
Precision precision_of(const std::string& name);  ///< throws Error(kBadRecipe)

/// All layers one after the other, each weights [out, in, size, size], then biases [out].
struct Weights {
  WdsrShape shape;
  std::vector<float> values;

  /// Float16, or int8 with a float32 scale for each output channel and float16 biases.
  std::string bytes(Precision precision) const;
  /// Throws Error(kBadData) when `bytes` is not of that length or holds what is not finite.
  static Weights read(const WdsrShape& shape, Precision precision, std::string_view bytes);
  static std::size_t size(const WdsrShape& shape, Precision precision);
};

/// Ready to run.
class Network {
 public:
  explicit Network(const Weights& weights);
  const WdsrShape& shape() const { return shape_; }
  const nn::Convolution& layer(int index) const { return layers_[static_cast<std::size_t>(index)]; }

 private:
  WdsrShape shape_;
  std::vector<nn::Convolution> layers_;
};

}  // namespace stream::super_resolution
