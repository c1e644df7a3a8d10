/// One short training for each switch that the paper studies, beside the paper's figures. Only that each
/// learns is judged: at this size a sink needs a begin token, and more steps than this table can have.
#include <algorithm>
#include <functional>

#include "llm/attention_probe.hpp"
#include "llm/random_model.hpp"
#include "llm/study_part.hpp"
#include "llm/study_sink.hpp"

namespace stream::llm {
namespace {

constexpr std::int64_t kSwitchLength = 64, kSwitchText = 2000;

struct Switch {
  const char* label;
  const char* paper;  ///< Sink_1 %, Sink_* % where there is a bias, and the loss, at 60 M parameters
  std::function<void(ModelConfig&, TrainerOptions&)> set;
  bool begin = true;
};

using C = ModelConfig;
using O = TrainerOptions;

std::vector<Switch> switches() {
  const auto score = [](Score s) { return [s](C& c, O&) { c.score = s; }; };
  const auto position = [](Position p) { return [p](C& c, O&) { c.position = p; }; };
  const auto feed_forward = [](const char* name) {
    return [name](C& c, O&) {
      c.activation = feed_forward_named(name).activation, c.gated = feed_forward_named(name).gated;
    };
  };
  const auto bias = [](AttentionBias b, bool shared = false, BiasValue value = BiasValue::kZero,
                       double scale = 1) {
    return [=](C& c, O&) {
      c.attention_bias = b, c.bias_shared = shared, c.bias_value = value, c.bias_scale = scale;
    };
  };
  constexpr auto kKey = AttentionBias::kKey;
  std::vector<Switch> out{
      {"softmax, begin token (the sink token)", "18.18, 3.73; sink token: * 74.12, 0.00, 3.72",
       [](C&, O&) {}},
      {"softmax, no begin token", "18.18, 3.73", [](C&, O&) {}, false},
      {"learning rate / 4", "6.29 at 1e-4 for 4 times the steps, 3.67",
       [](C&, O& o) { o.learning_rate /= 4; }},
      {"learning rate * 2", "32.23 at 8e-4, 3.70", [](C&, O& o) { o.learning_rate *= 2; }},
      {"weight decay 0", "15.20, 3.72", [](C&, O& o) { o.weight_decay = 0; }},
      {"weight decay 0.5", "41.08, 3.80", [](C&, O& o) { o.weight_decay = 0.5; }},
      {"weight decay 5", "0.01, 5.24", [](C&, O& o) { o.weight_decay = 5; }},
      {"batch / 4", "no effect", [](C&, O& o) { o.batch /= 4; }},
      {"half the steps", "-", [](C&, O& o) { o.steps /= 2; }},
      {"four heads", "-", [](C& c, O&) { c.heads = c.kv_heads = 4, c.head_dim /= 2; }},
      {"first token random, no begin token", "27.03", [](C&, O& o) { o.random_first = 1; }, false},
      {"first two random, no begin token", "1.98, and sink 2 14.08", [](C&, O& o) { o.random_first = 2; },
       false},
      {"token 5 fixed at place 3, no begin token", "the sink moves there",
       [](C&, O& o) { o.fixed_token = 5, o.fixed_at = 2; }, false},
      {"prefix of 5", "-", [](C& c, O&) { c.prefix = 5; }},
      {"window of 8", "none: too narrow", [](C& c, O&) { c.sliding_window = 8; }},
      {"window of 32", "the sink stays at the first token", [](C& c, O&) { c.sliding_window = 32; }},
      {"NoPE", "20.35, 3.81", position(Position::kNone)},
      {"sinusoidal", "32.73, 3.74", position(Position::kSinusoidal)},
      {"learned positions", "33.13, 3.79", position(Position::kLearned)},
      {"relative (T5; the released code adds the bucket's number, unlearnt)", "35.53, 5.45",
       position(Position::kRelative)},
      {"ALiBi", "20.78, 3.71", position(Position::kAlibi)},
      {"post-norm", "13.54", [](C& c, O&) { c.norm_place = NormPlace::kPost; }},
      {"KV bias, no begin token", "0.04, * 72.76, 3.72", bias(AttentionBias::kKeyValue), false},
      {"K bias, no begin token", "0.00, * 73.34, 3.72", bias(kKey), false},
      {"K bias of all heads, no begin token", "-", bias(kKey, true), false},
      {"V bias, no begin token", "17.53, 3.73", bias(AttentionBias::kValue), false},
      {"K bias, v* = e_1, no begin token", "0.06, * 70.03, 3.72", bias(kKey, false, BiasValue::kFirst),
       false},
      {"K bias, v* = 5 e_1, no begin token", "3.71, * 44.43, 3.72", bias(kKey, false, BiasValue::kFirst, 5),
       false},
      {"K bias, v* = 20 e_1, no begin token", "25.88, * 1.51, 3.71", bias(kKey, false, BiasValue::kFirst, 20),
       false},
      {"K bias, v* = 1/sqrt(d), no begin token", "-", bias(kKey, false, BiasValue::kUniform), false},
      {"softmax with a zero sink, no begin token", "-", score(Score::kSoftmaxOne), false},
      {"sigmoid", "0.44 (proxy), 3.70", score(Score::kSigmoid)},
      {"sigmoid, normalised", "30.24, 3.74", score(Score::kSigmoidNormalised)},
      {"elu + 1", "0.80 (proxy), 3.69", score(Score::kElu)},
      {"elu + 1, normalised", "-", score(Score::kEluNormalised)},
      {"elu + 1 kernel", "-", score(Score::kEluKernel)},
      {"elu + 1 kernel, normalised", "53.65, 4.19", score(Score::kEluKernelNormalised)},
      {"identity kernel", "-", score(Score::kIdentityKernel)},
      {"identity kernel, normalised", "0.00 (proxy), 3.99", score(Score::kIdentityKernelNormalised)},
      {"MLP kernel", "0.74 (proxy), 3.91", score(Score::kMlpKernel)},
      {"MLP kernel, normalised", "0.19 (proxy), 3.85", score(Score::kMlpKernelNormalised)},
  };
  for (const char* const name : {"geglu", "reglu", "swish", "gelu", "relu"})
    out.push_back({name, "-", feed_forward(name)});
  return out;
}

class Switches final : public JobsPart {
 public:
  Switches(const SinkStudy::Options& o, std::int64_t seed)
      : options_(o),
        seed_(o.seed * 1000 + static_cast<std::uint64_t>(seed)),
        name_("switches, seed " + std::to_string(seed) + ": "),
        all_(switches()) {
    for (const Switch& one : all_) job(one.label, [this, &one] { return run(one); });
    once("claim", [this] {
      claim(name_ +
                "arms whose loss of unseen text is not below that of their untrained weights, or the run is "
                "void",
            Value(), Value(), idle_.empty() ? "none" : idle_, "none", idle_.empty());
    });
  }
  std::string progress() const override { return name_ + JobsPart::progress(); }

 private:
  bool run(const Switch& one) {
    if (!trainer_) begin(one);
    // A few steps at a time; all arms read the same texts.
    for (int i = 0; i < 25 && !trainer_->finished(); ++i) {
      const std::int64_t wanted = (16 + trainer_->steps()) * trainer_->options().batch * kSwitchLength;
      for (; texts_ * kSwitchText < wanted; ++texts_) {
        PairText text(streaming_text(), 0.3 + 0.65 * static_cast<double>(texts_ % 32) / 31,
                      Random(stable_hash("switch text " + std::to_string(texts_), seed_)));
        trainer_->add(text.take(kSwitchText));
      }
      if (trainer_->steps() == 0) untrained_ = trainer_->held_out_loss();
      trainer_->step();
    }
    if (!trainer_->finished()) return false;
    conclude(one);
    trainer_.reset();
    return true;
  }

  void begin(const Switch& one) {
    ModelConfig c = llama_shape(2, 32, 16, 64, streaming_text().vocabulary(), kSwitchLength);
    TrainerOptions o{.steps = options_.switch_steps, .held_out = 32};
    c.begin_token = one.begin ? 0 : -1;
    one.set(c, o);
    o.steps = std::max<std::int64_t>(1, o.steps);
    trainer_ = std::make_unique<Trainer>(c, o, Random(stable_hash("switch", seed_)));
    texts_ = 0;
  }

  /// Sinks on match-free text, made as samples of the training are.
  void conclude(const Switch& one) {
    AttentionProbe probe(std::make_shared<const Decoder>(trainer_->model()));
    for (std::int64_t i = 0; i < options_.sequences; ++i) {
      PairText text(streaming_text(), 0, Random(stable_hash("switch probe " + std::to_string(i), seed_)));
      const auto sample = trainer_->sample(text.take(trainer_->text_needed()));
      probe.add(std::span(sample).first(kSwitchLength));
    }
    std::string found = "sinks 1 to 3: " + decimals(probe.sink(0)) + ", " + decimals(probe.sink(1)) + ", " +
                        decimals(probe.sink(2));
    const ModelConfig& c = trainer_->network().config();
    if (has_key(c.attention_bias) || c.score == Score::kSoftmaxOne)
      found += "; * " + decimals(probe.sink_bias());
    const double loss = trainer_->held_out_loss();
    if (!(loss < untrained_)) idle_ += (idle_.empty() ? "" : ", ") + std::string(one.label);
    found += "; loss " + decimals(loss);
    if (first_.empty()) first_ = found;
    figure(name_ + one.label + ": sink 1 (%), and the loss of unseen text, after " +
               std::to_string(trainer_->steps()) + " updates",
           one.paper, first_, found);
  }

  SinkStudy::Options options_;
  std::uint64_t seed_;
  std::string name_;
  std::string first_;     ///< what was found of the first arm, which the others are compared with
  std::string idle_;      ///< arms that learnt nothing
  double untrained_ = 0;  ///< loss of the arm under way before its first update
  std::vector<Switch> all_;
  std::unique_ptr<Trainer> trainer_;
  std::int64_t texts_ = 0;
};

}  // namespace

std::unique_ptr<StudyPart> sink_switches(const SinkStudy::Options& options, std::int64_t seed) {
  return std::make_unique<Switches>(options, seed);
}

}  // namespace stream::llm
