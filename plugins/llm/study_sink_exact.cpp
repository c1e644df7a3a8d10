#include <algorithm>
#include <cmath>
#include <functional>

#include "llm/attention_probe.hpp"
#include "llm/memory_full.hpp"
#include "llm/plain_decoder.hpp"
#include "llm/random_model.hpp"
#include "llm/study_part.hpp"
#include "llm/study_sink.hpp"

namespace stream::llm {
namespace {

constexpr std::int64_t kExactLength = 64;

class SinkExact final : public JobsPart {
 public:
  explicit SinkExact(const SinkStudy::Options& o) : options_(o) {
    once("metric", [this] { metric(); });
    once("zero key", [this] { zero_key(); });
    once("no positions", [this] { no_positions(); });
    once("far tokens", [this] { far_tokens(); });
  }

 private:
  static ModelConfig shape() {
    ModelConfig c = llama_shape(2, 32, 16, 64, 145, kExactLength);
    return c;
  }
  std::vector<std::int32_t> text() const {
    return test_stream(streaming_text(), 0.4, kExactLength, true, Random(stable_hash("exact", options_.seed)))
        .tokens;
  }
  template <typename Each>
  static void all_logits(const LanguageModel& model, const std::vector<std::int32_t>& tokens, Each each) {
    const auto decoder = std::make_shared<const Decoder>(model);
    Session session(decoder, std::make_unique<FullMemory>(decoder->config(), decoder->rope()));
    session.feed(tokens, each);
  }

  void metric() {
    // Rows: (1), (0.5, 0.5), (0.2, 0.2, 0.6), (0.3, 0.5, 0.1, 0.1).
    const std::vector<float> a{1, 0, 0, 0, 0.5, 0.5, 0, 0, 0.2f, 0.2f, 0.6f, 0, 0.3f, 0.5f, 0.1f, 0.1f};
    const double expected[] = {(1 + 0.5 + 0.2 + 0.3) / 4, (0.5 + 0.2 + 0.5) / 3, (0.6 + 0.1) / 2, 0.1};
    double worst = 0;
    for (std::int64_t k = 0; k < 4; ++k)
      worst = std::max(worst, std::abs(importance(a, 4, 4, k) - expected[k]));
    claim("importance of four positions in a matrix made by hand: largest difference", Value(), Value(),
          worst, "<= 1e-7", worst <= 1e-7);
  }

  /// A K bias whose key is 0 scores 0 with every query: the zero sink of SoftMax1.
  void zero_key() {
    ModelConfig with = shape();
    with.attention_bias = AttentionBias::kKey;
    LanguageModel a = random_model(with, options_.seed + 3);
    const LanguageModel b = plain::zero_sink_of(a);
    std::vector<std::vector<float>> rows;
    all_logits(a, text(),
               [&](std::size_t, std::span<const float> l) { rows.emplace_back(l.begin(), l.end()); });
    double worst = 0;
    all_logits(b, text(), [&](std::size_t t, std::span<const float> l) {
      for (std::size_t i = 0; i < l.size(); ++i)
        worst = std::max(worst, std::abs(static_cast<double>(l[i] - rows[t][i])));
    });
    claim("K bias with a key of 0 against SoftMax1: largest difference of a logit", "the same", Value(),
          worst, "<= 1e-5", worst <= 1e-5);
  }

  void no_positions() {
    ModelConfig c = shape();
    c.position = Position::kNone;
    const auto decoder = std::make_shared<const Decoder>(random_model(c, options_.seed + 4));
    Session session(decoder, std::make_unique<FullMemory>(decoder->config(), decoder->rope()));
    double worst = 0;
    session.workspace().attention.tap(
        [&](std::int64_t, std::int64_t, std::int64_t n, std::span<const float> p) {
          for (std::int64_t t = 0; t < n; ++t)
            for (std::int64_t s = 0; s <= t; ++s)
              worst = std::max(worst, std::abs(static_cast<double>(p[static_cast<std::size_t>(t * n + s)]) -
                                               1 / static_cast<double>(t + 1)));
        });
    session.feed(std::vector<std::int32_t>(kExactLength, 7));
    claim("no positions, one token repeated: largest difference of attention from 1/t", "1/t", Value(), worst,
          "<= 1e-6", worst <= 1e-6);
  }

  /// Sigmoid scores are not normalised: what scores nothing changes nothing, however much of it there is.
  void far_tokens() {
    ModelConfig c = shape();
    c.score = Score::kSigmoid, c.heads = c.kv_heads = 1, c.position = Position::kNone;
    const Rope rope(c);
    Attention attention(c, rope);
    Random random(options_.seed + 5);
    constexpr std::size_t kNear = 8, kFar = 1000;
    const auto d = static_cast<std::size_t>(c.head_dim);
    std::vector<float> query(d), near(kNear * d), values(kNear * d), far(kFar * d), other(kFar * d), alone(d),
        together(d);
    double square = 0;
    for (float& v : query)
      v = static_cast<float>(random.normal()), square += static_cast<double>(v) * static_cast<double>(v);
    for (std::vector<float>* const rows : {&near, &values, &other})
      for (float& v : *rows) v = static_cast<float>(random.normal());
    // Scores of -60: a sigmoid of 1e-26.
    for (std::size_t i = 0; i < far.size(); ++i)
      far[i] = static_cast<float>(-60 * std::sqrt(static_cast<double>(d)) *
                                  static_cast<double>(query[i % d]) / square);
    const Segment close{.keys = near.data(), .values = values.data(), .count = kNear},
        away{.keys = far.data(), .values = other.data(), .count = kFar};
    const std::vector<Segment> one{close}, both{away, close};
    attention.attend(0, 1, query.data(), one, nullptr, alone.data());
    attention.attend(0, 1, query.data(), both, nullptr, together.data());
    double worst = 0, size = 0;
    for (std::size_t i = 0; i < d; ++i) {
      worst = std::max(worst, std::abs(static_cast<double>(alone[i] - together[i])));
      size = std::max(size, std::abs(static_cast<double>(alone[i])));
    }
    claim(
        "sigmoid without normalisation, 1000 far tokens that score nothing added to 8: largest difference of "
        "the output, of " +
            decimals(size),
        Value(), Value(), worst, "<= 1e-6", worst <= 1e-6 && size > 0.1);
  }

  SinkStudy::Options options_;
};

/// One model of the arm "begin", probed as it is trained.
class Curve final : public JobsPart {
 public:
  explicit Curve(const SinkStudy::Options& o) : options_(o) {
    job("training", [this] { return train(); });
    once("claims", [this] { conclude(); });
  }
  std::string progress() const override {
    return trainer_
               ? "curve: step " + std::to_string(trainer_->steps()) + ", loss " + decimals(trainer_->loss())
               : "curve";
  }
  double fraction() const override {
    return trainer_ ? static_cast<double>(trainer_->steps()) / static_cast<double>(options_.curve_steps) : 0;
  }

 private:
  struct Probed {
    std::int64_t step;
    double sink, loss;
  };

  bool train() {
    if (!trainer_) {
      ModelConfig c = llama_shape(2, 32, 16, 64, 145, kExactLength);
      c.begin_token = 0;
      trainer_ = std::make_unique<Trainer>(c, TrainerOptions{.steps = options_.curve_steps},
                                           Random(stable_hash("curve", options_.seed)));
      look();
    }
    for (int i = 0; i < 25 && !trainer_->finished(); ++i) {
      for (; texts_ * 2000 < (16 + trainer_->steps()) * trainer_->options().batch * kExactLength; ++texts_) {
        PairText text(streaming_text(), 0.3 + 0.65 * static_cast<double>(texts_ % 32) / 31,
                      Random(stable_hash("curve text " + std::to_string(texts_), options_.seed)));
        trainer_->add(text.take(2000));
      }
      trainer_->step();
      if (trainer_->steps() % 100 == 0 || trainer_->finished()) look();
    }
    return trainer_->finished();
  }

  void look() {
    const LanguageModel model = trainer_->model();
    AttentionProbe probe(std::make_shared<const Decoder>(model));
    probe_texts(probe, {.repeat = 0, .begin_at = 0}, options_.sequences, options_.seed + 1);
    ModelRecipe r;
    r.text = streaming_text();
    const double loss = loss_in_context(model, r, 64, options_.seed + 6);
    curve_.push_back({trainer_->steps(), probe.sink(0), loss});
    const auto x = static_cast<double>(trainer_->steps());
    point("Sink 1 along training (%)", "sink 1", x, probe.sink(0));
    point("Loss along training (nats)", "unseen text", x, loss);
  }

  void conclude() {
    claim("curve: sink 1 before the first update (%)", "0", Value(), curve_.front().sink, "= 0",
          curve_.front().sink == 0);
    double early = 0, late = 0;
    std::string table;
    for (const Probed& p : curve_) {
      if (p.loss >= 3.2) early = std::max(early, p.sink);
      late = p.sink;
      if (p.step % 200 == 0)
        table += (table.empty() ? "" : ", ") + std::to_string(p.step) + ": " + decimals(p.sink) + " % at " +
                 decimals(p.loss);
    }
    claim("curve: greatest sink 1 while the loss is still 3.2 or more (%); sink and loss by step beside it",
          "emerges between 1k and 2k steps", table, early, "<= 5", early <= 5);
    claim("curve: sink 1 in the end (%); loss beside it", Value(), curve_.back().loss, late,
          ">= 15, at a loss below 3.05", late >= 15 && curve_.back().loss < 3.05);
  }

  SinkStudy::Options options_;
  std::unique_ptr<Trainer> trainer_;
  std::int64_t texts_ = 0;
  std::vector<Probed> curve_;
};

}  // namespace

std::unique_ptr<StudyPart> sink_exact(const SinkStudy::Options& options) {
  return std::make_unique<SinkExact>(options);
}
std::unique_ptr<StudyPart> sink_curve(const SinkStudy::Options& options) {
  return std::make_unique<Curve>(options);
}

}  // namespace stream::llm
