/// A trained network's parameters by name, as plain floats: how the forward passes that do without libtorch
/// get theirs.
#pragma once

#include "nn/dense.hpp"
#include "nn/torch.hpp"

namespace stream::asr {

class NetworkWeights {
 public:
  /// Keeps the module's tensors alive.
  explicit NetworkWeights(const torch::nn::Module& module) {
    for (const auto& item : module.named_parameters())
      tensors_[item.key()] = item.value().detach().to(at::kFloat).contiguous();
  }
  /// Throws std::out_of_range when there is none of that name.
  std::span<const float> at(const std::string& name) const {
    const at::Tensor& t = tensors_.at(name);
    return {t.data_ptr<float>(), static_cast<std::size_t>(t.numel())};
  }
  /// The same with zeros behind, up to a whole number of vectors.
  std::vector<float> row(const std::string& name) const {
    const auto values = at(name);
    std::vector<float> out(static_cast<std::size_t>(nn::padded(static_cast<std::int64_t>(values.size()))));
    std::copy(values.begin(), values.end(), out.begin());
    return out;
  }
  /// `name`.weight [out, ...] and `name`.bias if there is one.
  nn::DenseLinear linear(const std::string& name) const { return dense(name + ".weight", name + ".bias"); }
  /// A matrix [out, ...] and a bias that may be missing.
  nn::DenseLinear dense(const std::string& weight, const std::string& bias = {}) const {
    const auto out = tensors_.at(weight).size(0);
    const auto values = at(weight);
    return {values, tensors_.count(bias) ? at(bias) : std::span<const float>(), out,
            static_cast<std::int64_t>(values.size()) / out};
  }

 private:
  std::map<std::string, at::Tensor> tensors_;
};

/// At least n floats; those that are new are zero.
inline float* room(std::vector<float>& buffer, std::int64_t n) {
  if (buffer.size() < static_cast<std::size_t>(n)) buffer.resize(static_cast<std::size_t>(n));
  return buffer.data();
}

}  // namespace stream::asr
