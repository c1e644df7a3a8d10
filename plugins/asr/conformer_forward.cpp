#include "asr/conformer_forward.hpp"

#include <algorithm>

#include "asr/network_weights.hpp"
#include "nn/device.hpp"

namespace stream::asr {

ConformerForward::ConformerForward(const Conformer& network)
    : network_(&network), shape_(network.shape()), ld_(nn::padded(network.shape().features, nn::kTile)) {
  const NetworkWeights weights(network);
  for (std::int64_t i = 0; i < shape_.layers; ++i) {
    const std::string in = "layers_" + std::to_string(i) + '.';
    const auto norm = [&](const char* name) {
      return Norm{weights.row(in + name + ".weight"), weights.row(in + name + ".bias")};
    };
    Layer layer{.norm_ff1 = norm("norm_feed_forward1"),
                .norm_attention = norm("norm_self_att"),
                .norm_conv = norm("norm_conv"),
                .norm_inner = norm("conv_norm"),
                .norm_ff2 = norm("norm_feed_forward2"),
                .norm_out = norm("norm_out"),
                .ff1_up = weights.linear(in + "feed_forward1_linear1"),
                .ff1_down = weights.linear(in + "feed_forward1_linear2"),
                .query = weights.dense(in + "self_attn.linear_q"),
                .key_value = weights.dense(in + "self_attn.linear_kv"),
                .attention_out = weights.linear(in + "self_attn.linear_out"),
                .pointwise1 = weights.linear(in + "conv_pointwise1"),
                .pointwise2 = weights.linear(in + "conv_pointwise2"),
                .ff2_up = weights.linear(in + "feed_forward2_linear1"),
                .ff2_down = weights.linear(in + "feed_forward2_linear2"),
                .bias_u = weights.row(in + "self_attn.pos_bias_u"),
                .bias_v = weights.row(in + "self_attn.pos_bias_v"),
                .depthwise = std::vector<float>(static_cast<std::size_t>(shape_.kernel * ld_)),
                .depthwise_bias = weights.row(in + "conv_depthwise.bias")};
    const auto kernel = weights.at(in + "conv_depthwise.weight");  // [d, kernel]
    for (std::int64_t j = 0; j < shape_.features; ++j)
      for (std::int64_t t = 0; t < shape_.kernel; ++t)
        layer.depthwise[static_cast<std::size_t>(t * ld_ + j)] =
            kernel[static_cast<std::size_t>(j * shape_.kernel + t)];
    layers_.push_back(std::move(layer));
  }
}

std::vector<ConformerForward::Cache> ConformerForward::begin() const {
  std::vector<Cache> out;
  for (std::size_t i = 0; i < layers_.size(); ++i)
    out.push_back({torch::zeros({1, shape_.left, 2 * shape_.features}),
                   torch::zeros({1, shape_.kernel - 1, shape_.features})});
  return out;
}

ConformerForward::Positions ConformerForward::positions(std::int64_t fresh, std::int64_t keys) const {
  return nn::inference([&] {
    Positions out{.fresh = fresh, .keys = keys, .count = keys + fresh - 1, .layers = {}};
    const at::Tensor r = nn::relative_positions(keys - 1, -(fresh - 1), shape_.features);
    for (const auto& layer : network_->layers()) {
      const at::Tensor projected = layer->project_positions(r).contiguous();
      const float* from = projected.data_ptr<float>();
      out.layers.emplace_back(from, from + projected.numel());
      out.layers.back().resize(out.layers.back().size() + nn::kPad);
    }
    return out;
  });
}

at::Tensor ConformerForward::frames(std::vector<float>& x, std::int64_t first, std::int64_t n) const {
  return at::from_blob(x.data() + first * ld_, {1, n, shape_.features}, {n * ld_, ld_, 1}, at::kFloat)
      .clone();
}

void ConformerForward::forward(float* x, const Positions& positions, std::vector<Cache>* caches,
                               std::int64_t hidden) {
  const std::int64_t n = positions.fresh;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    feed_forward(x, layer.norm_ff1, layer.ff1_up, layer.ff1_down, n);
    attention(x, layer, positions, positions.layers[i], caches ? &(*caches)[i].kv : nullptr, hidden);
    convolution(x, layer, caches ? &(*caches)[i].conv : nullptr, n);
    feed_forward(x, layer.norm_ff2, layer.ff2_up, layer.ff2_down, n);
    normalise(layer.norm_out, x, x, n);
  }
}

void ConformerForward::normalise(const Norm& norm, const float* x, float* y, std::int64_t n) const {
  nn::dense_kernels().layer_norm(x, norm.weight.data(), norm.bias.data(), y, ld_, n, shape_.features);
}

void ConformerForward::feed_forward(float* x, const Norm& norm, const nn::DenseLinear& up,
                                    const nn::DenseLinear& down, std::int64_t n) {
  const std::int64_t inner = nn::padded(up.out(), nn::kTile);
  float *const y = room(normed_, n * ld_), *const wide = room(wide_, n * inner);
  normalise(norm, x, y, n);
  up.forward(y, ld_, wide, inner, n);
  nn::dense_kernels().silu(wide, n * inner);
  down.forward(wide, inner, y, ld_, n);
  nn::dense_kernels().add(x, y, 0.5f, n * ld_);
}

void ConformerForward::attention(float* x, const Layer& layer, const Positions& where,
                                 const std::vector<float>& encodings, at::Tensor* cache,
                                 std::int64_t hidden) {
  const nn::DenseKernels& kernels = nn::dense_kernels();
  const std::int64_t n = where.fresh, keys = where.keys, d = shape_.features, heads = shape_.heads,
                     dk = d / heads;
  float* const y = room(normed_, n * ld_);
  normalise(layer.norm_attention, x, y, n);

  // Keys and values side by side, those of the cache first.
  const std::int64_t ld_kv = nn::padded(2 * d), left = keys - n;
  float* const kv = room(kv_, keys * ld_kv + nn::kPad);
  layer.key_value.forward(y, ld_, kv + left * ld_kv, ld_kv, n);
  if (cache) {
    float* const kept = cache->data_ptr<float>();
    for (std::int64_t j = 0; j < left; ++j) std::copy_n(kept + j * 2 * d, 2 * d, kv + j * ld_kv);
    for (std::int64_t j = 0; j < left; ++j) std::copy_n(kv + (n + j) * ld_kv, 2 * d, kept + j * 2 * d);
  }
  const std::int64_t ld_keys = nn::padded(keys);
  float* const turned = room(turned_, d * ld_keys);  // keys as columns
  for (std::int64_t j = 0; j < keys; ++j)
    for (std::int64_t i = 0; i < d; ++i) turned[i * ld_keys + j] = kv[j * ld_kv + i];

  float *const u = room(query_u_, n * ld_), *const v = room(query_v_, n * ld_);
  layer.query.forward(y, ld_, u, ld_, n);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < d; ++j) {
      v[i * ld_ + j] = u[i * ld_ + j] + layer.bias_v[static_cast<std::size_t>(j)];
      u[i * ld_ + j] += layer.bias_u[static_cast<std::size_t>(j)];
    }

  const float scale = 1.0f / std::sqrt(static_cast<float>(dk));
  const std::int64_t ld_far = nn::padded(where.count) + nn::kPad;
  float *const scores = room(scores_, n * ld_keys), *const far = room(distances_, n * ld_far);
  // A head's last vector may write into the columns of the next one, which come after it.
  const std::int64_t ld_mixed = ld_ + nn::kPad;
  float* const mixed = room(mixed_, n * ld_mixed);
  for (std::int64_t h = 0; h < heads; ++h) {
    nn::product(u + h * dk, ld_, turned + h * dk * ld_keys, ld_keys, scores, ld_keys, n, dk, keys);
    nn::product(v + h * dk, ld_, encodings.data() + h * dk * where.count, where.count, far, ld_far, n, dk,
                where.count);
    for (std::int64_t i = 0; i < n; ++i) {
      float* const row = scores + i * ld_keys;
      kernels.add_scaled(row, far + i * ld_far + n - 1 - i, scale, keys);
      std::fill_n(row, hidden, -1e30f);
      kernels.softmax(row, keys);
    }
    nn::product(scores, ld_keys, kv + d + h * dk, ld_kv, mixed + h * dk, ld_mixed, n, keys, dk);
  }
  layer.attention_out.forward(mixed, ld_mixed, y, ld_, n);
  kernels.add(x, y, 1.0f, n * ld_);
}

void ConformerForward::convolution(float* x, const Layer& layer, at::Tensor* cache, std::int64_t n) {
  const nn::DenseKernels& kernels = nn::dense_kernels();
  const std::int64_t d = shape_.features, past = shape_.kernel - 1, ld_wide = nn::padded(2 * d, nn::kTile);
  float *const y = room(normed_, n * ld_), *const wide = room(wide_, n * ld_wide);
  normalise(layer.norm_conv, x, y, n);
  layer.pointwise1.forward(y, ld_, wide, ld_wide, n);
  float* const seen = room(history_, (past + n) * ld_);
  kernels.gated(wide, ld_wide, seen + past * ld_, ld_, n, d);
  for (std::int64_t t = 0; t < past; ++t) {
    if (cache)
      std::copy_n(cache->data_ptr<float>() + t * d, d, seen + t * ld_);
    else
      std::fill_n(seen + t * ld_, d, 0.0f);
  }
  if (cache)
    for (std::int64_t t = 0; t < past; ++t)
      std::copy_n(seen + (n + t) * ld_, d, cache->data_ptr<float>() + t * d);
  std::vector<const float*> sources(static_cast<std::size_t>(shape_.kernel));
  for (std::size_t t = 0; t < sources.size(); ++t) sources[t] = seen + static_cast<std::int64_t>(t) * ld_;
  nn::weighted(sources, ld_, layer.depthwise.data(), ld_, layer.depthwise_bias.data(), y, ld_, n, d);
  normalise(layer.norm_inner, y, y, n);
  kernels.silu(y, n * ld_);
  float* const out = room(wide_, n * ld_);
  layer.pointwise2.forward(y, ld_, out, ld_, n);
  kernels.add(x, out, 1.0f, n * ld_);
}

}  // namespace stream::asr
