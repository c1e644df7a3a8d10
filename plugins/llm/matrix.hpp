/// A linear layer of a decoder: weights as they are stored, or as 8-bit numbers in groups of 32 that share a
/// scale; these are multiplied with activations that are rounded to 16 bits in groups of 32.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "llm/kernels.hpp"
#include "llm/weight_memory.hpp"
#include "stream/payload.hpp"

namespace stream::llm {

enum class WeightType : std::uint8_t { kStored, kFloat32, kBFloat16, kFloat16, kInt8 };
/// "stored", "float32", "bfloat16", "float16" or "int8"; throws Error(kBadRecipe) for another name.
WeightType weight_type(const std::string& name);

class Matrix {
 public:
  /// What products need besides, kept between calls.
  struct Scratch {
    std::vector<float> widened;
    std::vector<ActivationGroup> activations;
  };
  Matrix() : Matrix(std::make_shared<WeightMemory>()) {}
  /// weight [out, in], bias [out] or null. Weights are copied into `memory`.
  Matrix(const Tensor& weight, const Tensor* bias, WeightType type,
         const std::shared_ptr<WeightMemory>& memory);

  std::int64_t in() const { return in_; }
  std::int64_t out() const { return out_; }
  /// Bytes that a product reads.
  std::size_t bytes() const;
  /// y[tokens, out] = x[tokens, in] W^T + b. One token is a product of our own (kernels.hpp), more go through
  /// BLAS with panels of widened weights; both add up in float32, in orders of their own. Products with 8-bit
  /// weights are all our own: a token's result is the same, bit for bit, however many come with it.
  void apply(const float* x, float* y, std::int64_t tokens, Scratch& scratch) const;
  /// Row r as float32 into out [in]: an embedding.
  void row(std::int64_t r, float* out) const;

 private:
  explicit Matrix(const std::shared_ptr<WeightMemory>& memory)
      : data_(WeightAllocator<std::byte>(memory)),
        tiles_(WeightAllocator<ByteTile>(memory)),
        scales_(WeightAllocator<std::uint16_t>(memory)) {}
  const std::uint16_t* words() const { return reinterpret_cast<const std::uint16_t*>(data_.data()); }
  const float* numbers() const { return reinterpret_cast<const float*>(data_.data()); }
  void widen(std::int64_t row, std::int64_t rows, float* out) const;
  void panels(const float* x, float* y, std::int64_t tokens, std::vector<float>& widened) const;
  void quantise(const std::vector<float>& weights);
  std::int64_t groups() const { return (in_ + kGroup - 1) / kGroup; }
  std::int64_t in_ = 0, out_ = 0;
  WeightType type_ = WeightType::kFloat32;
  /// [out, in]; empty for 8-bit weights
  std::vector<std::byte, WeightAllocator<std::byte>> data_;
  std::vector<ByteTile, WeightAllocator<ByteTile>> tiles_;  ///< [row tiles, groups], filled up with zeros
  std::vector<std::uint16_t, WeightAllocator<std::uint16_t>>
      scales_;  ///< float16 [row tiles, groups, kTileRows]
  std::vector<float> bias_;
};

}  // namespace stream::llm
