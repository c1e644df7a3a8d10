#include "llm/matrix.hpp"

#include <cblas.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "llm/model_file.hpp"
#include "stream/error.hpp"
#include "stream/half.hpp"

namespace stream::llm {
namespace {
/// Floats of widened weights: 4 MB. BLAS packs all activations anew for every panel, so panels of few rows
/// cost more than they save.
constexpr std::int64_t kPanel = std::int64_t{1} << 20;
constexpr std::uint8_t kZero = 128;  // the byte of a weight of 0

/// Where a tile holds row r and column c of its group.
std::size_t place(std::int64_t r, std::int64_t c) {
  return static_cast<std::size_t>(c / 4 * 4 * kTileRows + r % kTileRows * 4 + c % 4);
}
}  // namespace

WeightType weight_type(const std::string& name) {
  constexpr std::array names{"stored", "float32", "bfloat16", "float16", "int8"};
  for (std::size_t i = 0; i < names.size(); ++i)
    if (name == names[i]) return static_cast<WeightType>(i);
  throw bad_recipe("weights are '" + name + "', expected stored, float32, bfloat16, float16 or int8" +
                   did_you_mean(name, {names.begin(), names.end()}));
}

Matrix::Matrix(const Tensor& weight, const Tensor* bias, WeightType type,
               const std::shared_ptr<WeightMemory>& memory)
    : Matrix(memory) {
  in_ = weight.shape()[1], out_ = weight.shape()[0], type_ = type;
  if (type_ == WeightType::kStored)
    type_ = weight.dtype() == DType::kF32    ? WeightType::kFloat32
            : weight.dtype() == DType::kBF16 ? WeightType::kBFloat16
                                             : WeightType::kFloat16;
  if (bias != nullptr) bias_ = floats(*bias);
  if (type_ != WeightType::kInt8) {
    const Tensor stored = converted(weight, type_ == WeightType::kFloat32    ? DType::kF32
                                            : type_ == WeightType::kBFloat16 ? DType::kBF16
                                                                             : DType::kF16);
    const Buffer& from = stored.buffer();
    data_.assign(from.data(), from.data() + from.size());
    return;
  }
  quantise(floats(weight));
}

void Matrix::quantise(const std::vector<float>& weights) {
  const std::int64_t tiles = (out_ + kTileRows - 1) / kTileRows * groups();
  tiles_.resize(static_cast<std::size_t>(tiles));
  for (ByteTile& tile : tiles_) std::fill(std::begin(tile.bytes), std::end(tile.bytes), kZero);
  scales_.resize(static_cast<std::size_t>(tiles * kTileRows));
  for (std::int64_t r = 0; r < out_; ++r)
    for (std::int64_t g = 0; g < groups(); ++g) {
      const float* const from = weights.data() + r * in_ + g * kGroup;
      const std::int64_t count = std::min(kGroup, in_ - g * kGroup);
      float most = 0;
      for (std::int64_t c = 0; c < count; ++c) most = std::max(most, std::abs(from[c]));
      // Rounded up, so that the greatest weight is at most 127 of it.
      std::uint16_t half = half_of_float(most / 127.0f);
      if (float_of_half(half) * 127.0f < most) ++half;
      const float scale = float_of_half(half);
      if (!std::isfinite(scale))
        throw bad_data("a weight of " + std::to_string(most) +
                       " does not fit 8-bit weights with float16 scales");
      const std::int64_t tile = r / kTileRows * groups() + g;
      scales_[static_cast<std::size_t>(tile * kTileRows + r % kTileRows)] = half;
      if (scale == 0) continue;
      for (std::int64_t c = 0; c < count; ++c)
        tiles_[static_cast<std::size_t>(tile)].bytes[place(r, c)] =
            static_cast<std::uint8_t>(kZero + std::lrint(from[c] / scale));
    }
}

std::size_t Matrix::bytes() const {
  return data_.size() + tiles_.size() * sizeof(ByteTile) + scales_.size() * sizeof(std::uint16_t) +
         bias_.size() * sizeof(float);
}

void Matrix::widen(std::int64_t row, std::int64_t rows, float* out) const {
  const Kernels& k = kernels();
  const std::int64_t from = row * in_, n = rows * in_;
  switch (type_) {
    case WeightType::kBFloat16:
      return k.widen_bf16(words() + from, out, n);
    case WeightType::kFloat16:
      return k.widen_f16(words() + from, out, n);
    default:
      std::copy_n(numbers() + from, n, out);
  }
}

void Matrix::apply(const float* x, float* y, std::int64_t tokens, Scratch& scratch) const {
  const Kernels& k = kernels();
  if (type_ == WeightType::kInt8) {
    scratch.activations.resize(static_cast<std::size_t>(tokens * groups()));
    for (std::int64_t t = 0; t < tokens; ++t)
      k.quantise(x + t * in_, scratch.activations.data() + t * groups(), in_);
    k.product_i8(tiles_.data(), scales_.data(), scratch.activations.data(), y, tokens, out_, groups());
  } else if (tokens == 1) {
    switch (type_) {
      case WeightType::kBFloat16:
        k.product_bf16(words(), x, y, out_, in_);
        break;
      case WeightType::kFloat16:
        k.product_f16(words(), x, y, out_, in_);
        break;
      default:
        k.product_f32(numbers(), x, y, out_, in_);
    }
  } else {
    panels(x, y, tokens, scratch.widened);
  }
  if (!bias_.empty())
    for (std::int64_t t = 0; t < tokens; ++t)
      for (std::int64_t i = 0; i < out_; ++i) y[t * out_ + i] += bias_[static_cast<std::size_t>(i)];
}

void Matrix::panels(const float* x, float* y, std::int64_t tokens, std::vector<float>& widened) const {
  const auto product = [&](const float* w, std::int64_t first, std::int64_t rows) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<int>(tokens), static_cast<int>(rows),
                static_cast<int>(in_), 1.0f, x, static_cast<int>(in_), w, static_cast<int>(in_), 0.0f,
                y + first, static_cast<int>(out_));
  };
  if (type_ == WeightType::kFloat32) return product(numbers(), 0, out_);
  const std::int64_t panel = std::max<std::int64_t>(1, std::min(out_, kPanel / in_));
  widened.resize(static_cast<std::size_t>(panel * in_));
  for (std::int64_t r = 0; r < out_; r += panel) {
    const std::int64_t rows = std::min(panel, out_ - r);
    widen(r, rows, widened.data());
    product(widened.data(), r, rows);
  }
}

void Matrix::row(std::int64_t r, float* out) const {
  if (type_ != WeightType::kInt8) return widen(r, 1, out);
  for (std::int64_t c = 0; c < in_; ++c) {
    const auto tile = static_cast<std::size_t>(r / kTileRows * groups() + c / kGroup);
    const float scale = float_of_half(scales_[tile * kTileRows + static_cast<std::size_t>(r % kTileRows)]);
    out[c] = scale * static_cast<float>(tiles_[tile].bytes[place(r, c % kGroup)] - kZero);
  }
}

}  // namespace stream::llm
