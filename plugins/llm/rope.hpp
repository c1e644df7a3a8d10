/// Rotary position embedding (Su et al. 2021), "rotate half" form: numbers i and i + half of a head are
/// turned in their plane by position * inv_freq_i.
#pragma once

#include <cstdint>
#include <vector>

#include "llm/model_config.hpp"

namespace stream::llm {

class Rope {
 public:
  explicit Rope(const ModelConfig& config);
  /// Half of the rotated numbers of a head; 0 for models without RoPE.
  std::int64_t half() const { return half_; }
  /// Cosines and sines [2 half] of a position: of a table, or computed into `scratch` [2 half].
  const float* turn(std::int64_t position, float* scratch) const;
  /// Turns the head at x to `position`.
  void rotate(float* x, std::int64_t position) const;
  const std::vector<double>& frequencies() const { return frequencies_; }

 private:
  static constexpr std::int64_t kTable = 4096;
  void compute(std::int64_t position, float* out) const;
  std::int64_t half_ = 0;
  std::vector<double> frequencies_;
  std::vector<float> table_;
};

}  // namespace stream::llm
