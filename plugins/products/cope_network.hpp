/// COPE: one space for a product on its page, in short videos and in live streams.
///
/// Bai, Li, Cheng, Yang, Chen, Li, "Cross-Domain Product Representation Learning for Rich-Content
/// E-Commerce", ICCV 2023. The visual encoder is X-CLIP's (Ni et al., "Expanding Language-Image Pretrained
/// Models for General Video Recognition", ECCV 2022, sections 3.2 and 3.3), the text encoder BERT's (Devlin
/// et al., NAACL 2019).
#pragma once

#include <functional>

#include "nn/blocks.hpp"
#include "products/cope_text.hpp"
#include "products/product_set.hpp"
#include "products/word_pieces.hpp"

namespace stream::products {

struct CopeShape {
  std::int64_t size = 32, patch = 8;  ///< of a frame and of its patches, pixels
  std::int64_t width = 64, blocks = 2, heads = 4;
  std::int64_t frames = 4;       ///< T, of videos and live streams
  std::int64_t features = 64;    ///< d_o: of a frame's and a clip's vector before projection
  std::int64_t integration = 4;  ///< heads of the multi-frame integration
  std::int64_t vocabulary = 4096, title = 16, speech = 64;  ///< tokens there are, and in a text at the most
  std::int64_t text_width = 64, text_layers = 1, text_heads = 4;
  std::int64_t embedding = 64;  ///< d_e
  double text_epsilon = 1e-5;   ///< of the text encoder's norms; BERT's is 1e-12
  bool text_everywhere = true;  ///< fuse text in all domains; false: on pages alone
  /// Throws Error(kBadData) for sizes that cannot be.
  void check() const;
  std::int64_t patches() const { return (size / patch) * (size / patch); }
  std::int64_t tokens(Domain domain) const { return domain == Domain::kPage ? title : speech; }
  std::int64_t frames_of(Domain domain) const { return domain == Domain::kPage ? 1 : frames; }
};

/// Self-attention of several heads; weights of queries, keys and values lie in one matrix.
class SelfAttention : public torch::nn::Module {
 public:
  /// `gain`: of the initial values and outputs over Glorot's.
  SelfAttention(std::int64_t features, std::int64_t heads, double gain, const at::Generator& generator);
  /// x [N, L, d]; mask, where given, is added to the scores, broadcast to [N, heads, L, L].
  at::Tensor forward(const at::Tensor& x, const at::Tensor& mask = {}) const;
  /// What the first token gets in `forward`, up to rounding, for a fraction of the work: [N, d]. mask is
  /// broadcast to [N, heads, L].
  at::Tensor first(const at::Tensor& x, const at::Tensor& mask = {}) const;

 private:
  std::int64_t heads_;
  at::Tensor in_weight_, in_bias_;
  std::shared_ptr<nn::Linear> out_;
};

/// d -> 4 d -> d.
class FeedForward : public torch::nn::Module {
 public:
  FeedForward(std::int64_t features, bool quick, const at::Generator& generator);
  at::Tensor forward(const at::Tensor& x) const;

 private:
  bool quick_;  ///< CLIP's activation; false: GELU
  std::shared_ptr<nn::Linear> up_, down_;
};

/// Cross-frame communication: frames exchange messages made of their class tokens, and each reads its own
/// beside its patches.
class MessageBlock : public torch::nn::Module {
 public:
  MessageBlock(std::int64_t features, std::int64_t heads, const at::Generator& generator);
  /// x [B T, 1 + P, d], the class token first.
  at::Tensor forward(const at::Tensor& x, std::int64_t frames) const;
  /// The class tokens alone that `forward` gives: [B T, d].
  at::Tensor class_tokens(const at::Tensor& x, std::int64_t frames) const;

 private:
  /// x with each frame's message as one token more: [B T, 1 + P + 1, d].
  at::Tensor with_messages(const at::Tensor& x, std::int64_t frames) const;
  std::shared_ptr<nn::Linear> message_;
  std::shared_ptr<nn::LayerNorm> message_norm_, norm_, mlp_norm_;
  std::shared_ptr<SelfAttention> message_attention_, attention_;
  std::shared_ptr<FeedForward> mlp_;
};

class VisualEncoder : public torch::nn::Module {
 public:
  VisualEncoder(const CopeShape& shape, const at::Generator& generator);
  /// frames [B, T, 3, size, size], normalised -> f_v [B, d_o]. T is the shape's, or 1 for pages.
  at::Tensor forward(const at::Tensor& frames) const;

 private:
  CopeShape shape_;
  at::Tensor patches_, class_, positions_, projection_, times_;
  std::shared_ptr<nn::LayerNorm> before_, after_;
  std::vector<std::shared_ptr<MessageBlock>> blocks_;
  std::shared_ptr<nn::LayerNorm> integration_norm_, integration_mlp_norm_;
  std::shared_ptr<SelfAttention> integration_;
  std::shared_ptr<FeedForward> integration_mlp_;
};

/// Texts of a batch, each token a bag of pieces; what is longer than a row's text is an empty bag.
struct TextBatch {
  at::Tensor pieces;   ///< [all of them], int64
  at::Tensor offsets;  ///< [B L], int64: where each token's begin
  at::Tensor there;    ///< [B, L], bool: whether a token is a word, or the first one
};
/// L is the longest text's count of tokens. `keeps` is asked about each but the first, in order: a word that
/// is not kept leaves its place empty.
TextBatch text_batch(const std::vector<TextTokens>& texts, const std::function<bool()>& keeps = {});

class TextEncoder : public torch::nn::Module {
 public:
  TextEncoder(const CopeShape& shape, const at::Generator& generator);
  /// -> f_t [B, text_width].
  at::Tensor forward(const TextBatch& texts) const;

 private:
  struct Layer {
    std::shared_ptr<SelfAttention> attention;
    std::shared_ptr<FeedForward> mlp;
    std::shared_ptr<nn::LayerNorm> attention_norm, mlp_norm;
  };
  at::Tensor normalised(const nn::LayerNorm& norm, const at::Tensor& x) const;
  double epsilon_;
  at::Tensor words_, positions_;
  std::shared_ptr<nn::LayerNorm> norm_;
  std::vector<Layer> layers_;
  std::shared_ptr<nn::Linear> pooler_;
};

/// What one domain's clips become, each row of length 1: of text, of pictures, of both. e is v where a domain
/// has no text. What was not asked for is undefined.
struct CopeViews {
  at::Tensor t, v, e;  ///< [B, d_e]
};

/// The three linear maps of each domain.
class FusionHead : public torch::nn::Module {
 public:
  FusionHead(const CopeShape& shape, const at::Generator& generator);
  CopeViews forward(const at::Tensor& text, const at::Tensor& visual, Domain domain) const;

 private:
  bool text_everywhere_;
  std::array<std::shared_ptr<nn::Linear>, 3> text_, visual_, fused_;
};

class CopeNetwork : public torch::nn::Module {
 public:
  CopeNetwork(const CopeShape& shape, const at::Generator& generator);
  /// frames [B, T, 3, size, size], uint8 or float in 0 to 255, and B texts. One of them may be undefined or
  /// null: there is only the other one's view then.
  CopeViews forward(const at::Tensor& frames, const TextBatch* texts, Domain domain) const;
  const CopeShape& shape() const { return shape_; }
  /// One clip's vector e [d_e], from frames chosen by `spread` and its text. The batch is this clip alone, so
  /// that the same frames give the same bits wherever they come from.
  std::vector<float> embed(const Clip& clip, Domain domain) const;
  CopeViews views(const std::vector<const Clip*>& clips, Domain domain) const;
  /// Their texts, as long as the domain's may be, by the vocabulary or, without one, hashed.
  TextBatch texts(const std::vector<const Clip*>& clips, Domain domain,
                  const std::function<bool()>& keeps = {}) const;
  /// Null without a vocabulary of BERT's; its pieces are as many as the shape's vocabulary.
  const std::shared_ptr<const WordPieces>& vocabulary() const { return vocabulary_; }
  /// Throws Error(kBadData) when it is of another size.
  void set_vocabulary(std::shared_ptr<const WordPieces> vocabulary);

  TextEncoder& text() { return *text_; }
  VisualEncoder& visual() { return *visual_; }
  FusionHead& head() { return *head_; }

 private:
  CopeShape shape_;
  std::shared_ptr<const WordPieces> vocabulary_;
  std::shared_ptr<TextEncoder> text_;
  std::shared_ptr<VisualEncoder> visual_;
  std::shared_ptr<FusionHead> head_;
};

/// [B, T, 3, size, size], uint8: of each clip the frames that `spread` chooses.
at::Tensor frames_of(const std::vector<const Clip*>& clips, std::int64_t frames);

}  // namespace stream::products
