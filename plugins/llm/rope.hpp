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
  const std::vector<double>& frequencies() const { return frequencies_; }

 private:
  friend class Turns;
  static constexpr std::int64_t kTable = 4096;
  void compute(std::int64_t position, float* out) const;
  std::int64_t half_ = 0;
  std::vector<double> frequencies_;
  std::vector<float> table_;
};

/// Cosines and sines by position: of a table for those up to 4096, and of what was computed lately for
/// others, so that a token late in the stream costs what an early one does. Each user has one of its own.
class Turns {
 public:
  explicit Turns(const Rope& rope) : rope_(&rope) {}
  /// [2 half]; holds until the next call.
  const float* at(std::int64_t position);
  /// Turns the head at x to `position`.
  void rotate(float* x, std::int64_t position);

 private:
  static constexpr std::int64_t kKept = 512;
  const Rope* rope_;
  std::vector<std::int64_t> positions_;
  std::vector<float> values_;
};

}  // namespace stream::llm
