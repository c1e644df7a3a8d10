#include "products/cope_network.hpp"

#include <algorithm>

#include "nn/device.hpp"
#include "stream/error.hpp"

namespace stream::products {

namespace {

/// ImageNet's, as the paper's loader has them.
constexpr float kMeans[] = {0.485f, 0.456f, 0.406f}, kDeviations[] = {0.229f, 0.224f, 0.225f};

/// How much more than usual a class token takes from what it attends to, before training: without, its own
/// constant would drown the mean of dozens of words or patches, and all clips would begin as one vector.
constexpr double kTextGain = 4, kVisualGain = 2;

/// Of CLIP's GELU, y sigmoid(1.702 y) (Hendrycks and Gimpel, "Gaussian Error Linear Units", section 2).
constexpr double kQuick = 1.702;

at::Tensor normal(at::IntArrayRef shape, double deviation, const at::Generator& generator) {
  return torch::empty(shape).normal_(0, deviation, generator);
}

/// Uniform with variance 2 / (in + out) (Glorot and Bengio 2010).
at::Tensor glorot(std::int64_t out, std::int64_t in, double gain, const at::Generator& generator) {
  const double bound = gain * std::sqrt(6.0 / static_cast<double>(in + out));
  return torch::empty({out, in}).uniform_(-bound, bound, generator);
}

at::Tensor unit(const at::Tensor& x) { return x / x.norm(2, -1, true).clamp_min(1e-12); }

}  // namespace

void CopeShape::check() const {
  const auto within = [](const char* what, std::int64_t value, std::int64_t low, std::int64_t high) {
    if (value < low || value > high)
      throw bad_data(std::string(what) + " is " + std::to_string(value) + ", expected " +
                     std::to_string(low) + " to " + std::to_string(high));
  };
  within("size", size, 8, 512), within("patch", patch, 2, size);
  within("width", width, 4, 4096), within("blocks", blocks, 1, 64), within("heads", heads, 1, 64);
  within("frames", frames, 1, 64), within("features", features, 4, 4096);
  within("integration", integration, 1, 64), within("vocabulary", vocabulary, 16, 1 << 20);
  within("title", title, 1, 1024), within("speech", speech, 1, 1024);
  within("text_width", text_width, 4, 4096), within("text_layers", text_layers, 1, 64);
  within("text_heads", text_heads, 1, 64), within("embedding", embedding, 2, 4096);
  const auto divides = [](const char* part, std::int64_t a, const char* whole, std::int64_t b) {
    if (b % a != 0)
      throw bad_data(std::string(whole) + " = " + std::to_string(b) + " is no multiple of " + part + " = " +
                     std::to_string(a));
  };
  divides("patch", patch, "size", size), divides("heads", heads, "width", width);
  divides("integration", integration, "features", features);
  divides("text_heads", text_heads, "text_width", text_width);
}

SelfAttention::SelfAttention(std::int64_t features, std::int64_t heads, double gain,
                             const at::Generator& generator)
    : heads_(heads),
      in_weight_(register_parameter("in_weight", torch::cat({glorot(features, features, 1, generator),
                                                             glorot(features, features, 1, generator),
                                                             glorot(features, features, gain, generator)}))),
      in_bias_(register_parameter("in_bias", torch::zeros({3 * features}))),
      out_(register_module("out", std::make_shared<nn::Linear>(features, features, generator))) {
  const torch::NoGradGuard no_grad;
  out_->weight.copy_(glorot(features, features, gain, generator));
}

at::Tensor SelfAttention::forward(const at::Tensor& x, const at::Tensor& mask) const {
  const std::int64_t n = x.size(0), l = x.size(1), d = x.size(2), dk = d / heads_;
  const at::Tensor qkv =
      at::linear(x, in_weight_, in_bias_).view({n, l, 3, heads_, dk}).permute({2, 0, 3, 1, 4});
  at::Tensor scores = at::matmul(qkv.select(0, 0) * (1.0 / std::sqrt(static_cast<double>(dk))),
                                 qkv.select(0, 1).transpose(-1, -2));
  if (mask.defined()) scores = scores + mask;
  const at::Tensor mixed = at::matmul(scores.softmax(-1), qkv.select(0, 2));
  return out_->forward(mixed.transpose(1, 2).reshape({n, l, d}));
}

at::Tensor SelfAttention::first(const at::Tensor& x, const at::Tensor& mask) const {
  const std::int64_t n = x.size(0), d = x.size(2), dk = d / heads_;
  const auto of = [&](const at::Tensor& all, std::int64_t which) { return all.narrow(0, which * d, d); };
  const at::Tensor q = at::linear(x.select(1, 0), of(in_weight_, 0), of(in_bias_, 0)) *
                       (1.0 / std::sqrt(static_cast<double>(dk)));
  // A single query can be projected in the keys' stead: q (W_k x) = (q W_k) x. The keys' bias moves all
  // scores alike, which the softmax does not see. Values are projected once they are mixed.
  const at::Tensor folded =
      at::matmul(q.view({n, heads_, dk}).transpose(0, 1), of(in_weight_, 1).view({heads_, dk, d}));
  at::Tensor scores = at::matmul(folded.transpose(0, 1), x.transpose(1, 2));  // [N, heads, L]
  if (mask.defined()) scores = scores + mask;
  const at::Tensor mixed = at::matmul(scores.softmax(-1), x);  // [N, heads, d]
  const at::Tensor values =
      at::matmul(mixed.transpose(0, 1), of(in_weight_, 2).view({heads_, dk, d}).transpose(1, 2));
  return out_->forward(values.transpose(0, 1).reshape({n, d}) + of(in_bias_, 2));
}

FeedForward::FeedForward(std::int64_t features, bool quick, const at::Generator& generator)
    : quick_(quick),
      up_(register_module("up", std::make_shared<nn::Linear>(features, 4 * features, generator))),
      down_(register_module("down", std::make_shared<nn::Linear>(4 * features, features, generator))) {}

at::Tensor FeedForward::forward(const at::Tensor& x) const {
  if (!quick_) return down_->forward(at::gelu(up_->forward(x)));
  // y sigmoid(1.702 y) = silu(1.702 y) / 1.702: scaled in the weights, it is one pass over the tokens.
  const at::Tensor y = at::silu(at::linear(x, kQuick * up_->weight, kQuick * up_->bias));
  return at::linear(y, down_->weight * (1 / kQuick), down_->bias);
}

MessageBlock::MessageBlock(std::int64_t features, std::int64_t heads, const at::Generator& g)
    : message_(register_module("message_fc", std::make_shared<nn::Linear>(features, features, g))),
      message_norm_(register_module("message_ln", std::make_shared<nn::LayerNorm>(features))),
      norm_(register_module("ln_1", std::make_shared<nn::LayerNorm>(features))),
      mlp_norm_(register_module("ln_2", std::make_shared<nn::LayerNorm>(features))),
      message_attention_(
          register_module("message_attn", std::make_shared<SelfAttention>(features, heads, 1, g))),
      attention_(register_module("attn", std::make_shared<SelfAttention>(features, heads, kVisualGain, g))),
      mlp_(register_module("mlp", std::make_shared<FeedForward>(features, true, g))) {}

at::Tensor MessageBlock::with_messages(const at::Tensor& x, std::int64_t frames) const {
  const std::int64_t bt = x.size(0), d = x.size(2);
  at::Tensor m = message_->forward(x.select(1, 0)).view({bt / frames, frames, d});
  m = m + message_attention_->forward(message_norm_->forward(m));
  return at::cat({x, m.view({bt, 1, d})}, 1);
}

at::Tensor MessageBlock::forward(const at::Tensor& x, std::int64_t frames) const {
  at::Tensor y = with_messages(x, frames);
  y = (y + attention_->forward(norm_->forward(y))).narrow(1, 0, x.size(1));
  return y + mlp_->forward(mlp_norm_->forward(y));
}

at::Tensor MessageBlock::class_tokens(const at::Tensor& x, std::int64_t frames) const {
  at::Tensor y = with_messages(x, frames);
  y = y.select(1, 0) + attention_->first(norm_->forward(y));
  return y + mlp_->forward(mlp_norm_->forward(y));
}

VisualEncoder::VisualEncoder(const CopeShape& shape, const at::Generator& g)
    : shape_(shape),
      patches_(register_parameter("conv1", nn::uniform_init({shape.width, 3 * shape.patch * shape.patch},
                                                            3 * shape.patch * shape.patch, g))),
      class_(register_parameter("class_embedding", normal({shape.width}, 0.125, g))),
      positions_(
          register_parameter("positional_embedding", normal({1 + shape.patches(), shape.width}, 0.125, g))),
      projection_(register_parameter(
          "proj", normal({shape.features, shape.width}, 1 / std::sqrt(static_cast<double>(shape.width)), g))),
      times_(register_parameter("mit_positional_embedding", normal({shape.frames, shape.features}, 0.02, g))),
      before_(register_module("ln_pre", std::make_shared<nn::LayerNorm>(shape.width))),
      after_(register_module("ln_post", std::make_shared<nn::LayerNorm>(shape.width))) {
  for (std::int64_t i = 0; i < shape.blocks; ++i)
    blocks_.push_back(register_module("resblocks_" + std::to_string(i),
                                      std::make_shared<MessageBlock>(shape.width, shape.heads, g)));
  integration_norm_ = register_module("mit_ln_1", std::make_shared<nn::LayerNorm>(shape.features));
  integration_mlp_norm_ = register_module("mit_ln_2", std::make_shared<nn::LayerNorm>(shape.features));
  integration_ =
      register_module("mit_attn", std::make_shared<SelfAttention>(shape.features, shape.integration, 1, g));
  integration_mlp_ = register_module("mit_mlp", std::make_shared<FeedForward>(shape.features, true, g));
}

at::Tensor VisualEncoder::forward(const at::Tensor& frames) const {
  const std::int64_t b = frames.size(0), t = frames.size(1), p = shape_.patch, side = shape_.size / p;
  // A convolution whose windows do not overlap is a product.
  const at::Tensor pieces = frames.reshape({b * t, 3, side, p, side, p})
                                .permute({0, 2, 4, 1, 3, 5})
                                .reshape({b * t, side * side, 3 * p * p});
  at::Tensor x = at::cat({class_.expand({b * t, 1, shape_.width}), at::linear(pieces, patches_)}, 1);
  x = before_->forward(x + positions_);
  for (std::size_t i = 0; i + 1 < blocks_.size(); ++i) x = blocks_[i]->forward(x, t);
  // Of the last block's tokens nothing but the class is looked at.
  const at::Tensor each = at::linear(after_->forward(blocks_.back()->class_tokens(x, t)), projection_)
                              .view({b, t, shape_.features});
  // The table of times makes T copies of a page's one frame.
  at::Tensor y = each + times_;
  y = y + integration_->forward(integration_norm_->forward(y));
  y = y + integration_mlp_->forward(integration_mlp_norm_->forward(y));
  return (y + each).mean(1);
}

TextEncoder::TextEncoder(const CopeShape& shape, const at::Generator& g)
    : epsilon_(shape.text_epsilon),
      words_(register_parameter("word_embeddings", normal({shape.vocabulary, shape.text_width}, 0.1, g))),
      positions_(register_parameter(
          "position_embeddings", normal({std::max(shape.title, shape.speech), shape.text_width}, 0.02, g))),
      norm_(register_module("embeddings_norm", std::make_shared<nn::LayerNorm>(shape.text_width))) {
  for (std::int64_t i = 0; i < shape.text_layers; ++i) {
    const std::string name = "layer_" + std::to_string(i);
    layers_.push_back(
        {register_module(name + "_attention",
                         std::make_shared<SelfAttention>(shape.text_width, shape.text_heads, kTextGain, g)),
         register_module(name + "_mlp", std::make_shared<FeedForward>(shape.text_width, false, g)),
         register_module(name + "_attention_norm", std::make_shared<nn::LayerNorm>(shape.text_width)),
         register_module(name + "_mlp_norm", std::make_shared<nn::LayerNorm>(shape.text_width))});
  }
  pooler_ = register_module("pooler", std::make_shared<nn::Linear>(shape.text_width, shape.text_width, g));
}

TextBatch text_batch(const std::vector<TextTokens>& texts, const std::function<bool()>& keeps) {
  std::size_t longest = 1, pieces = 0;
  for (const TextTokens& text : texts) {
    longest = std::max(longest, text.count());
    pieces += text.pieces.size();
  }
  const auto b = static_cast<std::int64_t>(texts.size()), l = static_cast<std::int64_t>(longest);
  TextBatch out{torch::empty({static_cast<std::int64_t>(pieces)}, at::kLong),
                torch::empty({b * l}, at::kLong), torch::zeros({b, l}, at::kBool)};
  auto *to = out.pieces.data_ptr<std::int64_t>(), *begin = to, *offset = out.offsets.data_ptr<std::int64_t>();
  auto* there = out.there.data_ptr<bool>();
  for (const TextTokens& text : texts)
    for (std::size_t i = 0; i < longest; ++i, ++there) {
      *offset++ = to - begin;
      if (i >= text.count() || (i > 0 && keeps && !keeps())) continue;
      *there = true;
      const std::size_t from = i == 0 ? 0 : text.ends[i - 1];
      to = std::copy(text.pieces.begin() + static_cast<std::ptrdiff_t>(from),
                     text.pieces.begin() + static_cast<std::ptrdiff_t>(text.ends[i]), to);
    }
  out.pieces = out.pieces.narrow(0, 0, to - begin);
  return out;
}

at::Tensor TextEncoder::normalised(const nn::LayerNorm& norm, const at::Tensor& x) const {
  return at::layer_norm(x, {norm.weight.size(0)}, norm.weight, norm.bias, epsilon_);
}

at::Tensor TextEncoder::forward(const TextBatch& texts) const {
  const std::int64_t b = texts.there.size(0), l = texts.there.size(1);
  const at::Tensor mask = texts.there.logical_not().view({b, 1, 1, l}).to(at::kFloat) * -1e9f;
  constexpr std::int64_t kSum = 0;
  const at::Tensor words =
      std::get<0>(at::embedding_bag(words_, texts.pieces, texts.offsets, false, kSum)).view({b, l, -1});
  at::Tensor x = normalised(*norm_, words + positions_.narrow(0, 0, l));
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    // Of the last layer's tokens nothing but the first is looked at.
    if (i + 1 < layers_.size())
      x = x + layer.attention->forward(x, mask);
    else
      x = x.select(1, 0) + layer.attention->first(x, mask.squeeze(1));
    x = normalised(*layer.attention_norm, x);
    x = normalised(*layer.mlp_norm, x + layer.mlp->forward(x));
  }
  return pooler_->forward(x).tanh();
}

FusionHead::FusionHead(const CopeShape& shape, const at::Generator& g)
    : text_everywhere_(shape.text_everywhere) {
  for (const Domain domain : kDomains) {
    const auto d = static_cast<std::size_t>(domain);
    const std::string name = name_of(domain);
    visual_[d] =
        register_module(name + "_visual", std::make_shared<nn::Linear>(shape.features, shape.embedding, g));
    if (domain != Domain::kPage && !text_everywhere_) continue;
    text_[d] =
        register_module(name + "_text", std::make_shared<nn::Linear>(shape.text_width, shape.embedding, g));
    fused_[d] = register_module(name + "_fused",
                                std::make_shared<nn::Linear>(2 * shape.embedding, shape.embedding, g));
  }
  // All domains begin with the page's maps: what they have in common, words and colours, is alike from the
  // start. With maps drawn one by one the contrasts are first made equal by one vector for all, and the way
  // out of there takes hundreds of updates.
  const torch::NoGradGuard no_grad;
  for (auto* maps : {&text_, &visual_, &fused_})
    for (const auto& map : *maps)
      if (map) map->weight.copy_(maps->front()->weight);
}

CopeViews FusionHead::forward(const at::Tensor& text, const at::Tensor& visual, Domain domain) const {
  const auto d = static_cast<std::size_t>(domain);
  if (!visual.defined()) return {unit(text_[d]->forward(text)), {}, {}};
  const at::Tensor v = visual_[d]->forward(visual);
  if (!text_[d]) {
    const at::Tensor only = unit(v);
    return {{}, only, only};
  }
  if (!text.defined()) return {{}, unit(v), {}};
  const at::Tensor t = text_[d]->forward(text);
  return {unit(t), unit(v), unit(fused_[d]->forward(at::cat({t, v}, -1)))};
}

CopeNetwork::CopeNetwork(const CopeShape& shape, const at::Generator& g) : shape_(shape) {
  shape_.check();
  text_ = register_module("text", std::make_shared<TextEncoder>(shape_, g));
  visual_ = register_module("visual", std::make_shared<VisualEncoder>(shape_, g));
  head_ = register_module("head", std::make_shared<FusionHead>(shape_, g));
}

CopeViews CopeNetwork::forward(const at::Tensor& frames, const TextBatch* texts, Domain domain) const {
  const auto per_channel = [](const float(&values)[3]) {
    return torch::from_blob(const_cast<float*>(values), {1, 1, 3, 1, 1}, at::kFloat);
  };
  at::Tensor text, visual;
  if (texts && (domain == Domain::kPage || shape_.text_everywhere)) text = text_->forward(*texts);
  if (frames.defined())
    visual = visual_->forward((frames.to(at::kFloat) / 255 - per_channel(kMeans)) / per_channel(kDeviations));
  return head_->forward(text, visual, domain);
}

at::Tensor frames_of(const std::vector<const Clip*>& clips, std::int64_t frames) {
  const int size = clips.at(0)->size;
  at::Tensor out = torch::empty({static_cast<std::int64_t>(clips.size()), frames, 3, size, size}, at::kByte);
  auto* to = out.data_ptr<std::uint8_t>();
  for (const Clip* clip : clips)
    for (const int f : spread(clip->count(), static_cast<int>(frames))) {
      const auto from = clip->frame(f);
      to = std::copy(from.begin(), from.end(), to);
    }
  return out;
}

void CopeNetwork::set_vocabulary(std::shared_ptr<const WordPieces> vocabulary) {
  if (vocabulary && static_cast<std::int64_t>(vocabulary->pieces().size()) > shape_.vocabulary)
    throw bad_data("the vocabulary has " + std::to_string(vocabulary->pieces().size()) +
                   " pieces, the text encoder only " + std::to_string(shape_.vocabulary));
  vocabulary_ = std::move(vocabulary);
}

TextBatch CopeNetwork::texts(const std::vector<const Clip*>& clips, Domain domain,
                             const std::function<bool()>& keeps) const {
  std::vector<TextTokens> out;
  for (const Clip* clip : clips) {
    if (!vocabulary_) {
      out.push_back(tokens_of(clip->text, shape_.vocabulary, shape_.tokens(domain)));
      continue;
    }
    TextTokens& text = out.emplace_back();
    text.pieces = vocabulary_->tokens_of(clip->text, shape_.tokens(domain));
    for (std::size_t i = 1; i <= text.pieces.size(); ++i) text.ends.push_back(i);
  }
  return text_batch(out, keeps);
}

CopeViews CopeNetwork::views(const std::vector<const Clip*>& clips, Domain domain) const {
  return nn::inference([&] {
    const TextBatch words = texts(clips, domain);
    return forward(products::frames_of(clips, shape_.frames_of(domain)), &words, domain);
  });
}

std::vector<float> CopeNetwork::embed(const Clip& clip, Domain domain) const {
  const at::Tensor e = views({&clip}, domain).e.contiguous();
  return {e.data_ptr<float>(), e.data_ptr<float>() + e.numel()};
}

}  // namespace stream::products
