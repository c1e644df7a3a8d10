#include "llm/matrix.hpp"

#include <cblas.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "llm/kernels.hpp"
#include "llm/model_file.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {
constexpr std::int64_t kPanel = std::int64_t{1}
                                << 18;  // floats of widened weights: 1 MB, which a cache holds
}

WeightType weight_type(const std::string& name) {
  constexpr std::array names{"stored", "float32", "bfloat16", "float16", "int8"};
  for (std::size_t i = 0; i < names.size(); ++i)
    if (name == names[i]) return static_cast<WeightType>(i);
  throw bad_recipe("weights are '" + name + "', expected stored, float32, bfloat16, float16 or int8" +
                   did_you_mean(name, {names.begin(), names.end()}));
}

Matrix::Matrix(const Tensor& weight, const Tensor* bias, WeightType type)
    : in_(weight.shape()[1]), out_(weight.shape()[0]), stride_(in_), type_(type) {
  if (type_ == WeightType::kStored)
    type_ = weight.dtype() == DType::kF32    ? WeightType::kFloat32
            : weight.dtype() == DType::kBF16 ? WeightType::kBFloat16
                                             : WeightType::kFloat16;
  if (bias != nullptr) bias_ = floats(*bias);
  if (type_ != WeightType::kInt8) {
    data_ = converted(weight, type_ == WeightType::kFloat32    ? DType::kF32
                              : type_ == WeightType::kBFloat16 ? DType::kBF16
                                                               : DType::kF16)
                .buffer();
    return;
  }
  stride_ = (in_ + kGroup - 1) / kGroup * kGroup;
  const std::vector<float> w = floats(weight);
  std::vector<std::int8_t> q(static_cast<std::size_t>(out_ * stride_));
  scales_.resize(static_cast<std::size_t>(out_ * stride_ / kGroup));
  for (std::int64_t r = 0; r < out_; ++r)
    for (std::int64_t g = 0; g < stride_ / kGroup; ++g) {
      const std::int64_t first = g * kGroup, last = std::min(in_, first + kGroup);
      float most = 0;
      for (std::int64_t c = first; c < last; ++c)
        most = std::max(most, std::abs(w[static_cast<std::size_t>(r * in_ + c)]));
      const float scale = most / 127.0f;
      scales_[static_cast<std::size_t>(r * stride_ / kGroup + g)] = scale;
      if (scale == 0) continue;
      for (std::int64_t c = first; c < last; ++c)
        q[static_cast<std::size_t>(r * stride_ + c)] =
            static_cast<std::int8_t>(std::lrint(w[static_cast<std::size_t>(r * in_ + c)] / scale));
    }
  data_ = Buffer::own(std::move(q));
}

std::size_t Matrix::bytes() const { return data_.size() + (scales_.size() + bias_.size()) * sizeof(float); }

void Matrix::widen(std::int64_t row, std::int64_t rows, float* out) const {
  const Kernels& k = kernels();
  const std::int64_t from = row * stride_, n = rows * stride_;
  switch (type_) {
    case WeightType::kBFloat16:
      return k.widen_bf16(words() + from, out, n);
    case WeightType::kFloat16:
      return k.widen_f16(words() + from, out, n);
    case WeightType::kInt8:
      return k.widen_i8(reinterpret_cast<const std::int8_t*>(data_.data()) + from,
                        scales_.data() + from / kGroup, out, n);
    default:
      std::copy_n(data_.as<float>().data() + from, n, out);
  }
}

void Matrix::apply(const float* x, float* y, std::int64_t tokens, std::vector<float>& scratch) const {
  const Kernels& k = kernels();
  if (tokens == 1) {
    switch (type_) {
      case WeightType::kBFloat16:
        k.product_bf16(words(), x, y, out_, in_);
        break;
      case WeightType::kFloat16:
        k.product_f16(words(), x, y, out_, in_);
        break;
      case WeightType::kInt8: {
        if (stride_ != in_) {
          scratch.assign(static_cast<std::size_t>(stride_), 0.0f);
          std::copy_n(x, in_, scratch.data());
          x = scratch.data();
        }
        k.product_i8(reinterpret_cast<const std::int8_t*>(data_.data()), scales_.data(), x, y, out_, stride_);
        break;
      }
      default:
        k.product_f32(data_.as<float>().data(), x, y, out_, in_);
    }
    for (std::size_t i = 0; i < bias_.size(); ++i) y[i] += bias_[i];
    return;
  }
  const auto product = [&](const float* w, std::int64_t first, std::int64_t rows) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<int>(tokens), static_cast<int>(rows),
                static_cast<int>(in_), 1.0f, x, static_cast<int>(in_), w, static_cast<int>(stride_), 0.0f,
                y + first, static_cast<int>(out_));
  };
  if (type_ == WeightType::kFloat32) {
    product(data_.as<float>().data(), 0, out_);
  } else {
    const std::int64_t panel = std::max<std::int64_t>(1, std::min(out_, kPanel / stride_));
    scratch.resize(static_cast<std::size_t>(panel * stride_));
    for (std::int64_t r = 0; r < out_; r += panel) {
      const std::int64_t rows = std::min(panel, out_ - r);
      widen(r, rows, scratch.data());
      product(scratch.data(), r, rows);
    }
  }
  if (!bias_.empty())
    for (std::int64_t t = 0; t < tokens; ++t)
      for (std::int64_t i = 0; i < out_; ++i) y[t * out_ + i] += bias_[static_cast<std::size_t>(i)];
}

void Matrix::row(std::int64_t r, float* out) const {
  if (stride_ == in_) return widen(r, 1, out);
  std::vector<float> whole(static_cast<std::size_t>(stride_));
  widen(r, 1, whole.data());
  std::copy_n(whole.data(), in_, out);
}

}  // namespace stream::llm
