#include "asr/conformer.hpp"

#include "stream/error.hpp"

namespace stream::asr {

namespace {
constexpr std::int64_t kReducedMels = 11;  // 80 -> 41 -> 21 -> 11
}

void ConformerShape::save(Archive& group) const {
  group.set("features", features);
  group.set("layers", layers);
  group.set("heads", heads);
  group.set("expansion", expansion);
  group.set("kernel", kernel);
  group.set("channels", channels);
  group.set("left", left);
  group.set("lookaheads", lookaheads);
  group.set("vocabulary", vocabulary);
}

ConformerShape ConformerShape::load(const Archive& group) {
  ConformerShape s;
  const auto read = [&](const char* name, std::int64_t low, std::int64_t high) {
    const auto value = group.get<std::int64_t>(name);
    if (value < low || value > high)
      throw bad_data("model: " + std::string(name) + " is " + std::to_string(value) + ", expected " +
                     std::to_string(low) + " to " + std::to_string(high));
    return value;
  };
  s.features = read("features", 2, 4096);
  s.layers = read("layers", 1, 256);
  s.heads = read("heads", 1, 256);
  s.expansion = read("expansion", 1, 16);
  s.kernel = read("kernel", 1, 255);
  s.channels = read("channels", 1, 4096);
  s.left = read("left", 0, 65536);
  s.vocabulary = read("vocabulary", 1, 1 << 20);
  s.lookaheads = group.get<std::vector<std::int64_t>>("lookaheads");
  if (s.features % (2 * s.heads) != 0) throw bad_data("model: features must be an even multiple of heads");
  if (s.lookaheads.empty() || s.lookaheads.size() > 64) throw bad_data("model: it lists no look-ahead");
  for (const auto r : s.lookaheads)
    if (r < 0 || r > 4096 || s.left % (r + 1) != 0)
      throw bad_data("model: look-ahead " + std::to_string(r) + " does not divide the left context");
  return s;
}

Subsampling::Subsampling(const ConformerShape& shape, const at::Generator& g) {
  const std::int64_t c = shape.channels;
  conv0_w = register_parameter("conv0_weight", nn::uniform_init({c, 1, 3, 3}, 9, g));
  conv0_b = register_parameter("conv0_bias", torch::zeros({c}));
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string n = std::to_string(i + 1);
    depth_w[i] = register_parameter("depthwise" + n + "_weight", nn::uniform_init({c, 1, 3, 3}, 9, g));
    depth_b[i] = register_parameter("depthwise" + n + "_bias", torch::zeros({c}));
    point_w[i] = register_parameter("pointwise" + n + "_weight", nn::uniform_init({c, c, 1, 1}, c, g));
    point_b[i] = register_parameter("pointwise" + n + "_bias", torch::zeros({c}));
  }
  out_ = register_module("out", std::make_shared<nn::Linear>(c * kReducedMels, shape.features, g));
}

at::Tensor Subsampling::stage(int index, const at::Tensor& x) const {
  if (index == 0) return at::relu(at::conv2d(x, conv0_w, conv0_b, 2));
  const auto i = static_cast<std::size_t>(index - 1);
  const at::Tensor y = at::conv2d(x, depth_w[i], depth_b[i], /*stride=*/at::IntArrayRef{2, 2},
                                  /*padding=*/at::IntArrayRef{0, 0},
                                  /*dilation=*/at::IntArrayRef{1, 1}, /*groups=*/depth_w[i].size(0));
  return at::relu(at::conv2d(y, point_w[i], point_b[i]));
}

at::Tensor Subsampling::forward(const at::Tensor& mels) const {
  at::Tensor x = mels.unsqueeze(1);
  for (int i = 0; i < 3; ++i) x = stage(i, at::constant_pad_nd(x, {2, 1, 2, 1}));
  return out_->forward(x.transpose(1, 2).flatten(2));
}

std::int64_t Subsampling::output_length(std::int64_t frames) {
  if (frames == 0) return 0;
  for (int i = 0; i < 3; ++i) frames = frames / 2 + 1;
  return frames;
}

ConformerLayer::ConformerLayer(const ConformerShape& s, const at::Generator& g) {
  const auto norm = [&](const char* name) {
    return register_module(name, std::make_shared<nn::LayerNorm>(s.features));
  };
  const auto linear = [&](const char* name, std::int64_t in, std::int64_t out) {
    return register_module(name, std::make_shared<nn::Linear>(in, out, g));
  };
  const std::int64_t d = s.features, inner = d * s.expansion;
  norm_ff1_ = norm("norm_feed_forward1");
  ff1_up_ = linear("feed_forward1_linear1", d, inner);
  ff1_down_ = linear("feed_forward1_linear2", inner, d);
  norm_attention_ = norm("norm_self_att");
  attention_ = register_module("self_attn", std::make_shared<nn::RelativeAttention>(d, s.heads, g));
  norm_conv_ = norm("norm_conv");
  pointwise1_ = linear("conv_pointwise1", d, 2 * d);
  depthwise_ = register_module("conv_depthwise", std::make_shared<nn::CausalDepthwiseConv1d>(d, s.kernel, g));
  norm_inner_ = norm("conv_norm");
  pointwise2_ = linear("conv_pointwise2", d, d);
  norm_ff2_ = norm("norm_feed_forward2");
  ff2_up_ = linear("feed_forward2_linear1", d, inner);
  ff2_down_ = linear("feed_forward2_linear2", inner, d);
  norm_out_ = norm("norm_out");
}

at::Tensor ConformerLayer::feed_forward(const nn::LayerNorm& norm, const nn::Linear& up,
                                        const nn::Linear& down, const at::Tensor& x) const {
  return down.forward(at::silu(up.forward(norm.forward(x))));
}

at::Tensor ConformerLayer::forward(at::Tensor x, const at::Tensor& positions, const at::Tensor& mask) const {
  x = at::add(x, feed_forward(*norm_ff1_, *ff1_up_, *ff1_down_, x), 0.5);

  const at::Tensor a = norm_attention_->forward(x);
  x = x + attention_->forward(a, attention_->keys_values(a), positions, mask);

  const at::Tensor c = at::glu(pointwise1_->forward(norm_conv_->forward(x)), -1);
  const at::Tensor seen = at::constant_pad_nd(c, {0, 0, depthwise_->kernel() - 1, 0});
  x = x + pointwise2_->forward(at::silu(norm_inner_->forward(depthwise_->forward(seen))));

  x = at::add(x, feed_forward(*norm_ff2_, *ff2_up_, *ff2_down_, x), 0.5);
  return norm_out_->forward(x);
}

at::Tensor chunk_mask(std::int64_t frames, std::int64_t left, std::int64_t lookahead) {
  if (lookahead < 0) return torch::zeros({frames, frames});
  const std::int64_t c = lookahead + 1;
  const at::Tensor chunk = at::div(torch::arange(frames), c, "floor");
  const at::Tensor behind = chunk.unsqueeze(1) - chunk.unsqueeze(0);
  return torch::zeros({frames, frames}).masked_fill_((behind < 0) | (behind > left / c), -INFINITY);
}

Conformer::Conformer(const ConformerShape& shape, const at::Generator& g) : shape_(shape) {
  subsampling_ = register_module("pre_encode", std::make_shared<Subsampling>(shape, g));
  for (std::int64_t i = 0; i < shape.layers; ++i)
    layers_.push_back(
        register_module("layers_" + std::to_string(i), std::make_shared<ConformerLayer>(shape, g)));
  ctc_ = register_module("ctc", std::make_shared<nn::Linear>(shape.features, shape.vocabulary + 1, g));
  times_ = register_module("times", std::make_shared<nn::Linear>(shape.features, 2, g));
}

Conformer::Heads Conformer::heads(const at::Tensor& encoded) const {
  RECORD_USER_SCOPE("heads");
  return {encoded, ctc_->forward(encoded), times_->forward(encoded)};
}

at::Tensor Conformer::encode(const at::Tensor& mels, const std::vector<std::int64_t>& lengths,
                             std::int64_t lookahead) const {
  at::Tensor x = subsampling_->forward(mels) * std::sqrt(static_cast<double>(shape_.features));
  const std::int64_t frames = x.size(1);
  const at::Tensor length = torch::tensor(lengths).view({-1, 1, 1, 1});
  // A padded frame is nobody's key, but every query keeps one: a row of nothing but -inf would be NaN. Rows
  // of padding see the whole recording.
  const at::Tensor padding = torch::arange(frames).view({1, 1, 1, -1}) >= length;
  at::Tensor mask = chunk_mask(frames, shape_.left, lookahead).view({1, 1, frames, frames});
  const at::Tensor padded_row = padding.transpose(-1, -2);
  mask = mask.masked_fill(padding, -INFINITY).masked_fill(padded_row, 0.0);
  const at::Tensor r = nn::relative_positions(frames - 1, -(frames - 1), shape_.features);
  for (const auto& layer : layers_) x = layer->forward(x, layer->project_positions(r), mask);
  return x;
}

}  // namespace stream::asr
