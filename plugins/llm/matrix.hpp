/// A linear layer of a decoder: weights as they are stored, or as 8-bit numbers in groups of 32 that share a
/// scale.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stream/payload.hpp"

namespace stream::llm {

enum class WeightType : std::uint8_t { kStored, kFloat32, kBFloat16, kFloat16, kInt8 };
/// "stored", "float32", "bfloat16", "float16" or "int8"; throws Error(kBadRecipe) for another name.
WeightType weight_type(const std::string& name);

class Matrix {
 public:
  Matrix() = default;
  /// weight [out, in], bias [out] or null.
  Matrix(const Tensor& weight, const Tensor* bias, WeightType type);

  std::int64_t in() const { return in_; }
  std::int64_t out() const { return out_; }
  /// Bytes that a product reads.
  std::size_t bytes() const;
  /// y[tokens, out] = x[tokens, in] W^T + b. One token is a product of our own (kernels.hpp), more go through
  /// BLAS; both add up in float32, in orders of their own. `scratch` holds panels of widened weights between
  /// calls.
  void apply(const float* x, float* y, std::int64_t tokens, std::vector<float>& scratch) const;
  /// Row r as float32 into out [in]: an embedding.
  void row(std::int64_t r, float* out) const;

 private:
  const std::uint16_t* words() const { return reinterpret_cast<const std::uint16_t*>(data_.data()); }
  void widen(std::int64_t row, std::int64_t rows, float* out) const;
  std::int64_t in_ = 0, out_ = 0;
  std::int64_t stride_ = 0;  ///< columns of a stored row: in, for 8-bit weights filled up to whole groups
  WeightType type_ = WeightType::kFloat32;
  Buffer data_;
  std::vector<float> scales_, bias_;
};

}  // namespace stream::llm
