#include "llm/rope.hpp"

#include <cmath>

#include "llm/kernels.hpp"

namespace stream::llm {

Rope::Rope(const ModelConfig& c) : half_(c.rotary_dims() / 2) {
  for (std::int64_t i = 0; i < half_; ++i) {
    double f = std::pow(c.rope_base, -2.0 * static_cast<double>(i) / static_cast<double>(2 * half_));
    if (c.rope_scaling == RopeScaling::kLinear) f /= c.rope_factor;
    if (c.rope_scaling == RopeScaling::kLlama3) {
      // Llama 3.1: long waves are stretched, short ones kept, those between blended.
      const double wave = 2 * M_PI / f, original = static_cast<double>(c.rope_original_context);
      if (wave > original / c.rope_low_frequency) {
        f /= c.rope_factor;
      } else if (wave > original / c.rope_high_frequency) {
        const double keep =
            (original / wave - c.rope_low_frequency) / (c.rope_high_frequency - c.rope_low_frequency);
        f = (1 - keep) * f / c.rope_factor + keep * f;
      }
    }
    frequencies_.push_back(f);
  }
  if (half_ == 0) return;
  table_.resize(static_cast<std::size_t>(kTable * 2 * half_));
  for (std::int64_t p = 0; p < kTable; ++p) compute(p, table_.data() + p * 2 * half_);
}

void Rope::compute(std::int64_t position, float* out) const {
  for (std::int64_t i = 0; i < half_; ++i) {
    const double angle = static_cast<double>(position) * frequencies_[static_cast<std::size_t>(i)];
    out[i] = static_cast<float>(std::cos(angle));
    out[half_ + i] = static_cast<float>(std::sin(angle));
  }
}

const float* Turns::at(std::int64_t position) {
  const std::int64_t size = 2 * rope_->half_;
  if (position >= 0 && position < Rope::kTable) return rope_->table_.data() + position * size;
  if (positions_.empty()) {
    positions_.assign(kKept, INT64_MIN);
    values_.resize(static_cast<std::size_t>(kKept * size));
  }
  const std::int64_t slot = (position % kKept + kKept) % kKept;
  float* const values = values_.data() + slot * size;
  if (positions_[static_cast<std::size_t>(slot)] != position) {
    rope_->compute(position, values);
    positions_[static_cast<std::size_t>(slot)] = position;
  }
  return values;
}

void Turns::rotate(float* x, std::int64_t position) {
  if (rope_->half_ > 0) kernels().rotate(x, at(position), rope_->half_);
}

}  // namespace stream::llm
