/// AdamW (Loshchilov and Hutter 2019) on one flat vector: a dozen operations a step however many parameters
/// there are, and a state of two vectors.
#pragma once

#include "nn/torch.hpp"
#include "stream/archive.hpp"

namespace stream::nn {

class AdamW {
 public:
  struct Options {
    double beta1 = 0.9, beta2 = 0.98, epsilon = 1e-9;
    double weight_decay = 1e-3;  ///< on matrices only: not on biases, norms and other vectors
    double clip = 1.0;           ///< of the gradient's 2-norm
  };
  /// Moves the module's parameters and gradients into flat vectors of which they become views; the module
  /// must not be moved to another device or type afterwards.
  AdamW(torch::nn::Module& module, Options options);

  void zero_grad() { gradient_.zero_(); }
  /// One update from the gradients; returns the gradient's norm. A norm that is not finite leaves the weights
  /// alone.
  double step(double learning_rate);

  /// Moments, step count and the weights themselves.
  void save(Archive& group) const;
  void load(const Archive& group);
  std::int64_t parameters() const { return weights_.numel(); }
  std::size_t state_bytes() const { return static_cast<std::size_t>(weights_.numel()) * 4 * sizeof(float); }

 private:
  Options options_;
  std::int64_t steps_ = 0;
  at::Tensor weights_, gradient_, first_, second_, decay_;
};

/// Linear warm-up to 1, then half a cosine to 0 at `total`.
inline double warmup_cosine(std::int64_t step, std::int64_t warmup, std::int64_t total) {
  if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup);
  const double x =
      static_cast<double>(step - warmup) / static_cast<double>(std::max<std::int64_t>(1, total - warmup));
  return x >= 1 ? 0.0 : 0.5 * (1 + std::cos(M_PI * x));
}

}  // namespace stream::nn
