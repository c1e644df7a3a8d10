#include "llm/llm_train.hpp"

#include <cstdio>

#include "llm/attention_probe.hpp"
#include "stream/error.hpp"
#include "stream/log.hpp"
#include "stream/params.hpp"

namespace stream::llm {
namespace {

constexpr std::int64_t kText = 1 << 16;  // tokens: bytes are cut into texts of this length

ModelConfig config_of(const Params& p) {
  ModelConfig c;
  c.vocabulary = p.get<std::int64_t>("vocabulary");
  c.layers = p.get<std::int64_t>("layers");
  c.hidden = p.get<std::int64_t>("hidden");
  c.heads = p.get<std::int64_t>("heads");
  c.kv_heads = p.get<std::int64_t>("kv_heads") > 0 ? p.get<std::int64_t>("kv_heads") : c.heads;
  if (c.heads < 1 || c.hidden % c.heads != 0)
    throw bad_recipe("hidden is " + std::to_string(c.hidden) + ", expected a multiple of the " +
                     std::to_string(c.heads) + " heads");
  c.head_dim = c.hidden / c.heads;
  c.ffn = p.get<std::int64_t>("ffn");
  c.context = p.get<std::int64_t>("length");
  c.begin_token = p.get<bool>("begin_token") ? p.get<std::int64_t>("begin_id") : -1;
  c.rope_base = p.get<double>("rope_base");
  c.position = position_named(p.get<std::string>("position"));
  const FeedForward& feed_forward = feed_forward_named(p.get<std::string>("feed_forward"));
  c.activation = feed_forward.activation;
  c.gated = feed_forward.gated;
  c.norm_place = norm_place_named(p.get<std::string>("norm"));
  c.prefix = p.get<std::int64_t>("prefix");
  c.sliding_window = p.get<std::int64_t>("window");
  c.score = score_named(p.get<std::string>("score"));
  c.score_offset = p.get<double>("score_offset");
  if (c.score_offset != 0 && operation_of(c.score).similarity != Similarity::kSigmoid)
    throw bad_recipe(std::string("score_offset is that of the sigmoids, and score is ") + name_of(c.score));
  c.attention_bias = attention_bias_named(p.get<std::string>("attention_bias"));
  c.bias_shared = p.get<bool>("bias_shared");
  c.bias_value = bias_value_named(p.get<std::string>("bias_value"));
  c.bias_scale = p.get<double>("bias_scale");
  if (c.bias_scale != 1 && c.bias_value == BiasValue::kZero)
    throw bad_recipe("bias_scale is that of a bias_value, and bias_value is zero");
  return c;
}

TrainerOptions trainer_options_of(const Params& p) {
  return {.steps = p.get<std::int64_t>("steps"),
          .batch = p.get<std::int64_t>("batch"),
          .length = p.get<std::int64_t>("length"),
          .learning_rate = p.get<double>("learning_rate"),
          .warmup = p.get<std::int64_t>("warmup"),
          .schedule = p.get<std::string>("schedule") == "flat" ? Schedule::kFlat : Schedule::kCosine,
          .weight_decay = p.get<double>("weight_decay"),
          .pool = p.get<std::int64_t>("pool"),
          .begin_at = p.get<std::int64_t>("begin_at"),
          .random_first = p.get<std::int64_t>("random_first"),
          .fixed_token = p.get<std::int64_t>("fixed_token"),
          .fixed_at = p.get<std::int64_t>("fixed_at"),
          .held_out = p.get<std::int64_t>("probe")};
}

}  // namespace

Spec TrainOperator::spec() {
  const TrainerOptions o;
  return Spec("llm.train", "Train a small language model on a stream of texts or token ids.")
      .input("in", PayloadType::kAny,
             "bytes or text (a byte is then a token), or tensors [n] of int32: a text of token ids each")
      .output<Record>("progress",
                      "{\"step\", \"loss\"}, every `report` steps; with `probe` also \"valid_loss\", "
                      "\"sink_1\" to \"sink_8\" and \"sink_bias\" (percent, as llm.probe has them) and "
                      "\"norms\": for each layer {\"hidden\", \"key\", \"value\": [of the first position, of "
                      "the others]}, all of held-out samples")
      .path("model", nullptr, "the HDF5 file to write when the steps are done")
      .param("steps", o.steps, "updates in all", range(1, 1e9))
      .param("batch", o.batch, "samples in an update", range(1, 4096))
      .param("length", o.length, "tokens of a sample: the model's context", range(2, 65536), unit("tokens"))
      .param("tokens_per_step", std::int64_t{4096}, "tokens that arrive between two updates", range(1, 1e9))
      .param("pool", o.pool, "newest tokens that samples are drawn from", range(2, 1e9), unit("tokens"))
      .param("learning_rate", o.learning_rate, "at its peak", range(0, 1))
      .param("warmup", o.warmup, "updates until the peak", range(1, 1e9))
      .param("schedule", "cosine",
             "what the learning rate does behind the warm-up: half a cosine down to a tenth of its peak, or "
             "it stays there",
             choices({"cosine", "flat"}))
      .param("weight_decay", o.weight_decay, "of AdamW, on matrices", range(0, 100))
      .param("vocabulary", kByteVocabulary, "token ids; at least 258 for bytes and text", range(2, 1e6))
      .param("layers", std::int64_t{2}, "of the decoder", range(1, 64))
      .param("hidden", std::int64_t{64}, "width", range(2, 4096))
      .param("heads", std::int64_t{2}, "of attention", range(1, 64))
      .param("kv_heads", std::int64_t{0}, "key and value heads; 0: as many as heads", range(0, 64))
      .param("ffn", std::int64_t{128}, "width of the feed-forward layer", range(1, 16384))
      .param("begin_token", true,
             "put a begin token in front of every sample: the learnable sink token of StreamingLLM")
      .param("begin_id", std::int64_t{kByteBegin}, "its id", range(0, 1e6))
      .param("begin_at", std::int64_t{0}, "tokens of the text in front of the begin token", range(0, 65536))
      .param(
          "feed_forward", "swiglu",
          "kind of the feed-forward layer: swiglu, geglu and reglu multiply with a gate, the others do not",
          Choices{feed_forward_names()})
      .param("norm", name_of(NormPlace::kPre),
             "in front of attention and feed-forward layer, or behind their residual sums",
             Choices{norm_place_names()})
      .param("random_first", o.random_first,
             "first tokens of every sample that are replaced by uniformly random ones", range(0, 65536),
             unit("tokens"))
      .param("fixed_token", o.fixed_token, "token id that stands at `fixed_at` in every sample; -1: none",
             range(-1, 1e6))
      .param("fixed_at", o.fixed_at, "tokens in front of the fixed token", range(0, 65536), unit("tokens"))
      .param("position", name_of(Position::kRope),
             "what tells positions apart: turned queries and keys, nothing, a slope over the distance "
             "(ALiBi), learned or sinusoidal embeddings, or a learned number for each head and bucket of the "
             "distance (T5)",
             Choices{position_names()})
      .param("rope_base", 10000.0, "of RoPE", range(2, 1e9))
      .param("prefix", std::int64_t{0},
             "first tokens of a sample that see each other, whichever comes first, and behind which the loss "
             "begins (prefix language model)",
             range(0, 65535), unit("tokens"))
      .param("window", std::int64_t{0},
             "last tokens that a token sees, itself among them (shifted-window attention); 0: all",
             range(0, 65536), unit("tokens"))
      .param(
          "score", name_of(Score::kSoftmax),
          "how queries and keys become weights: softmax, the same with an ever-present key of score 0, "
          "sigmoid, elu + 1, or a product of kernels (elu + 1, the identity, or a perceptron of two layers); "
          "normalised: divided by their sum, and under the last two kernels by max(|sum|, 1)",
          Choices{score_names()})
      .param("score_offset", 0.0, "subtracted from the scores under the sigmoids", range(-100, 100))
      .param("attention_bias", name_of(AttentionBias::kNone),
             "of each head and of no token: a trained key with a fixed value, a trained key and value, or a "
             "trained vector added to its output",
             Choices{attention_bias_names()})
      .param("bias_shared", false, "one attention bias for all heads of a layer")
      .param("bias_value", name_of(BiasValue::kZero),
             "fixed value of the bias key: 0, (1, 0, 0, ...), or 1/sqrt(d) everywhere",
             Choices{bias_value_names()})
      .param("bias_scale", 1.0, "factor of bias_value", range(-1000, 1000))
      .param("probe", o.held_out,
             "samples that are held out, one from the front of each text until there are so many, and probed "
             "for attention sinks with every line of progress; 0: none",
             range(0, 1e5))
      .param("probe_length", std::int64_t{64},
             "tokens of a held-out sample that are probed, at most `length`", range(kSinkPositions, 65536),
             unit("tokens"))
      .param("report", std::int64_t{100}, "updates between two lines of progress", range(1, 1e9))
      .contract({.lookahead = kUnbounded, .state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "A Llama-shaped decoder (RMSNorm, RoPE, SwiGLU, no biases) where the switches say nothing else, "
          "trained with AdamW (betas 0.9 and 0.95) and gradients clipped to norm 1. Tokens go into a pool of "
          "bounded size; each time `tokens_per_step` "
          "more have "
          "come, one update is made from samples drawn from the pool. So training streams: memory is "
          "constant, a "
          "checkpoint may fall anywhere, and the same seed gives the same model. The first update waits for "
          "sixteen "
          "batches of tokens, or a full pool.\n\n"
          "When the stream ends before the steps are done, the model is written as it then is, with a "
          "warning that "
          "says how "
          "far it came; before the first step that is an error. Files that are too short are read several "
          "times: see "
          "llm.corpus.")
      .paper("Xiao et al., Efficient Streaming Language Models with Attention Sinks, ICLR 2024")
      .example("A few steps", R"(title = "Training"
[nodes.text]
use       = "llm.pair_text"
documents = 20
[nodes.train]
use             = "llm.train"
from            = "text"
model           = "pairs.h5"
vocabulary      = 145
begin_id        = 0
steps           = 3
batch           = 4
tokens_per_step = 500
[nodes.log]
use  = "jsonl.write"
from = "train"
path = "-"
)");
}

TrainOperator::TrainOperator(const Params& p)
    : node_(p.context().node),
      path_(p.get<std::string>("model")),
      each_(p.get<std::int64_t>("tokens_per_step")),
      report_(p.get<std::int64_t>("report")),
      probe_length_(std::min(p.get<std::int64_t>("probe_length"), p.get<std::int64_t>("length"))),
      tokenizer_(byte_tokenizer()),
      encoder_(tokenizer_->encoder()),
      trainer_(config_of(p), trainer_options_of(p), p.random("training")) {
  const TrainerOptions& o = trainer_.options();
  const std::int64_t least = std::max(kSinkPositions, p.get<std::int64_t>("prefix"));
  if (o.held_out > 0 && probe_length_ < least)
    throw bad_recipe("samples of " + std::to_string(probe_length_) + " tokens cannot be probed, expected " +
                     std::to_string(least) + " at least");
  first_ = std::min(o.pool / 2, 16 * o.batch * o.length);
}

void TrainOperator::add(std::span<const TokenId> text, Time time, Output& out) {
  // A long text is one for the pool, but counts like as many short ones.
  for (std::size_t at = 0; at < text.size();) {
    const auto n = std::min(text.size() - at, static_cast<std::size_t>(kText));
    trainer_.add(text.subspan(at, n));
    at += n;
    seen_ += static_cast<std::int64_t>(n);
    while (!trainer_.finished() && trainer_.ready() && seen_ >= first_ + trainer_.steps() * each_) {
      trainer_.step();
      if (trainer_.steps() % report_ == 0 || trainer_.finished()) out.emit(Packet::of<Record>(time, event()));
    }
  }
}

Object TrainOperator::event() const {
  Object record{{"step", trainer_.steps()}, {"loss", trainer_.loss()}};
  if (trainer_.held_out().empty()) return record;
  AttentionProbe probe(std::make_shared<const Decoder>(trainer_.model()));
  for (const auto& sample : trainer_.held_out())
    probe.add(std::span(sample).first(static_cast<std::size_t>(probe_length_)));
  record.set("valid_loss", trainer_.held_out_loss());
  for (std::int64_t k = 0; k < kSinkPositions; ++k)
    record.set("sink_" + std::to_string(k + 1), probe.sink(k));
  record.set("sink_bias", probe.sink_bias());
  Array norms;
  for (std::int64_t l = 0; l < trainer_.network().config().layers; ++l) {
    const AttentionProbe::Norms& n = probe.norms(l);
    norms.emplace_back(Object{{"hidden", Array{n.hidden_first, n.hidden_others}},
                              {"key", Array{n.key_first, n.key_others}},
                              {"value", Array{n.value_first, n.value_others}}});
  }
  record.set("norms", std::move(norms));
  return record;
}

void TrainOperator::process(Packet in, Output& out) {
  last_ = in.time;
  if (in.is(PayloadType::kTensor)) {
    const Tensor& ids = in.as<Tensor>();
    if (ids.shape().size() != 1 || ids.dtype() != DType::kI32)
      throw bad_data("a tensor that is no text of token ids, expected [n] of int32");
    add(ids.values<std::int32_t>(), in.time, out);
    return;
  }
  if (in.is(PayloadType::kText)) {
    encoder_->push(in.as<Text>().str(), pending_);
    encoder_->finish(pending_);
    pending_.push_back('\n');
    cut(in.time, out);
    return;
  }
  if (!in.is(PayloadType::kBytes)) throw bad_data("a packet of neither bytes, text nor token ids");
  // What bytes make is stamped with the place in the stream of the one that made it certain, as bytes.read
  // counts.
  const auto bytes = in.as<Bytes>().data();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    encoder_->push({reinterpret_cast<const char*>(bytes.data()) + i, 1}, pending_);
    last_ = std::max(in.time, Time{bytes_++});
    cut(last_, out);
  }
}

void TrainOperator::cut(Time time, Output& out) {
  // How a stream is cut into packets carries no meaning: texts are cut where they are this long.
  constexpr std::size_t kCut = 4096;
  if (pending_.size() < kCut) return;
  std::size_t at = 0;
  for (; pending_.size() - at >= kCut; at += kCut) add({pending_.data() + at, kCut}, time, out);
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(at));
}

void TrainOperator::finish(Output& out) {
  if (!pending_.empty()) add(pending_, last_, out);
  const std::int64_t steps = trainer_.options().steps;
  const std::string needed =
      std::to_string(first_ + steps * each_) + " tokens are needed for " + std::to_string(steps) + " updates";
  if (trainer_.steps() == 0)
    throw bad_data("the text ended after " + std::to_string(seen_) + " tokens, before the first update; " +
                   needed + "; nothing was written to " + path_);
  if (!trainer_.finished())
    log_warning(node_, "the text ended after " + std::to_string(seen_) + " tokens and " +
                           std::to_string(trainer_.steps()) + " updates; " + needed + "; " + path_ +
                           " holds what was learnt until then");
  LanguageModel model = trainer_.model();
  model.tokenizer_kind =
      model.config.vocabulary >= kByteVocabulary && model.config.begin_token != 0 ? "bytes" : "ids";
  write_language_model(path_, model, DType::kF16);
}

void TrainOperator::save(Archive& state) const {
  state.set("seen", seen_);
  state.set("pending", pending_);
  state.set("last", last_);
  state.set("bytes", bytes_);
  encoder_->save(state.group("encoder"));
  trainer_.save(state.group("trainer"));
}

void TrainOperator::load(const Archive& state) {
  seen_ = state.get<std::int64_t>("seen");
  pending_ = state.get<std::vector<TokenId>>("pending");
  last_ = state.get<Duration>("last");
  bytes_ = state.get<std::int64_t>("bytes");
  encoder_->load(state.group("encoder"));
  trainer_.load(state.group("trainer"));
}

std::string TrainOperator::progress() const {
  char text[80];
  std::snprintf(text, sizeof text, "step %lld, loss %.3f", static_cast<long long>(trainer_.steps()),
                trainer_.loss());
  return text;
}

}  // namespace stream::llm
