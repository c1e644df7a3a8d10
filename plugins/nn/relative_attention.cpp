#include "nn/relative_attention.hpp"

namespace stream::nn {

at::Tensor relative_positions(std::int64_t first, std::int64_t last, std::int64_t features) {
  const at::Tensor distance = torch::arange(first, last - 1, -1, at::kFloat).unsqueeze(1);
  const at::Tensor frequency = torch::exp(torch::arange(0, features, 2, at::kFloat) *
                                          (-std::log(10000.0) / static_cast<double>(features)));
  const at::Tensor angle = distance * frequency;
  return torch::stack({angle.sin(), angle.cos()}, -1).reshape({first - last + 1, features});
}

at::Tensor relative_shift(const at::Tensor& scores) {
  // Padding one column and reading the same memory with rows of another length shifts row i by c-1-i
  // (Transformer-XL, appendix B).
  std::vector<std::int64_t> shape = scores.sizes().vec();
  const std::int64_t c = shape[shape.size() - 2], p = shape.back();
  shape[shape.size() - 2] = p + 1, shape.back() = c;
  at::Tensor padded = at::constant_pad_nd(scores, {1, 0}).view(shape).narrow(-2, 1, p);
  shape[shape.size() - 2] = c, shape.back() = p;
  return padded.reshape(shape).narrow(-1, 0, p - c + 1);
}

RelativeAttention::RelativeAttention(std::int64_t features, std::int64_t heads,
                                     const at::Generator& generator)
    : query(register_parameter("linear_q", uniform_init({features, features}, features, generator))),
      key_value(register_parameter("linear_kv", uniform_init({2 * features, features}, features, generator))),
      position(register_parameter("linear_pos", uniform_init({features, features}, features, generator))),
      bias_u(register_parameter("pos_bias_u", torch::zeros({heads, 1, features / heads}))),
      bias_v(register_parameter("pos_bias_v", torch::zeros({heads, 1, features / heads}))),
      out_(register_module("linear_out", std::make_shared<Linear>(features, features, generator))) {}

at::Tensor RelativeAttention::project_positions(const at::Tensor& positions) const {
  return at::linear(positions, position)
      .view({positions.size(0), heads(), -1})
      .permute({1, 2, 0})
      .contiguous();
}

at::Tensor RelativeAttention::forward(const at::Tensor& x, const at::Tensor& kv, const at::Tensor& positions,
                                      const at::Tensor& mask) const {
  const std::int64_t batch = x.size(0), c = x.size(1), d = x.size(2), keys = kv.size(1), h = heads(),
                     dk = d / h;
  const at::Tensor q = at::linear(x, query).view({batch, c, h, dk}).transpose(1, 2);
  const at::Tensor split = kv.view({batch, keys, 2, h, dk});
  const at::Tensor k = split.select(2, 0).permute({0, 2, 3, 1}), v = split.select(2, 1).transpose(1, 2);
  const at::Tensor content = (q + bias_u).matmul(k);
  const at::Tensor distance = relative_shift((q + bias_v).matmul(positions));
  const at::Tensor scores = (content + distance).mul(1.0 / std::sqrt(static_cast<double>(dk))) + mask;
  const at::Tensor mixed = scores.softmax(-1).matmul(v);
  return out_->forward(mixed.transpose(1, 2).reshape({batch, c, d}));
}

}  // namespace stream::nn
