#include "llm/study_sink.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "llm/attention_probe.hpp"
#include "llm/memory_full.hpp"
#include "llm/memory_sink.hpp"
#include "llm/study_part.hpp"
#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream::llm {
namespace {

constexpr const char *kSinkArms = "arms", *kSinkExact = "exact", *kSinkCurve = "curve",
                     *kSinkSwitches = "switches";
constexpr std::int64_t kSinkLength = 64, kSinkText = 400;
constexpr std::size_t kSettled = 128;

std::vector<std::string> parts_of(const Params& p) {
  auto parts = parts_by_seed(p, {kSinkArms, kSinkSwitches});
  if (p.get<bool>("quick")) std::erase(parts, kSinkCurve);
  return parts;
}

struct Arm {
  const char* name;  ///< of its models' files
  const char* label;
  bool begin = true;
  std::int64_t begin_at = 0;
  Score score = Score::kSoftmax;
  AttentionBias bias = AttentionBias::kNone;
};

constexpr Arm kAll[] = {
    {.name = "begin", .label = "softmax, begin token"},
    {.name = "plain", .label = "softmax, no begin token", .begin = false},
    {.name = "key", .label = "K bias, no begin token", .begin = false, .bias = AttentionBias::kKey},
    {.name = "third", .label = "softmax, begin token third", .begin_at = 2},
    {.name = "sigmoid", .label = "sigmoid without normalisation, begin token", .score = Score::kSigmoid},
    {.name = "normalised", .label = "sigmoid, normalised, begin token", .score = Score::kSigmoidNormalised},
};

struct Found {
  double loss = 0;
  std::vector<double> sinks, sinks_in_text;  ///< percent, by position; match-free, and of test text
  double bias = 0, bias_in_text = 0;
  double without_begin = 0, random_first = 0;
  double importance = 0;  ///< of the begin token, of the head that has most
  double norm_ratio = 0;
  double fresh = 0, again = 0;            ///< mass of a head of layer 2 on the begin token, or on the bias
  std::map<std::int64_t, double> window;  ///< by cache: window - 1 sink, nats
};

class Arms final : public JobsPart {
 public:
  Arms(const SinkStudy::Options& o, std::int64_t seed)
      : options_(o), seed_(seed), name_("seed " + std::to_string(seed) + ", ") {
    for (const Arm& arm : kAll) {
      job(std::string(arm.label) + ": model", [this, &arm] { return make(arm); });
      once(std::string(arm.label) + ": sinks", [this, &arm] { sinks(arm); });
      once(std::string(arm.label) + ": window", [this, &arm] { windows(arm); });
    }
    once("claims", [this] { conclude(); });
  }
  std::string progress() const override {
    return name_ + JobsPart::progress() +
           (maker_ && !maker_->trained() ? ""
            : maker_                     ? ", " + maker_->progress()
                                         : "");
  }

 private:
  static ModelRecipe recipe(const Arm& arm) {
    ModelRecipe r;
    r.text = streaming_text();
    r.begin = arm.begin, r.begin_at = arm.begin_at, r.score = arm.score, r.attention_bias = arm.bias;
    return r;
  }
  /// models/pairs-begin-0.h5 -> models/pairs-key-1.h5; empty, to be trained in the run, for a later seed's
  /// that is not there.
  std::string path(const Arm& arm) const {
    if (options_.model.empty()) return {};
    constexpr std::string_view kFirst = "begin-0.h5";
    if (!options_.model.ends_with(kFirst))
      throw bad_recipe("the first model is '" + options_.model + "', expected a name that ends in " +
                       std::string(kFirst));
    const std::string path = options_.model.substr(0, options_.model.size() - kFirst.size()) + arm.name +
                             "-" + std::to_string(seed_) + ".h5";
    return seed_ > 0 && !std::filesystem::exists(path) ? std::string() : path;
  }
  bool make(const Arm& arm) {
    if (!maker_)
      maker_ = std::make_unique<ModelMaker>(path(arm), recipe(arm),
                                            options_.seed * 1000 + static_cast<std::uint64_t>(seed_));
    if (!maker_->step()) return false;
    const ModelConfig& c = maker_->model().config;
    if (c.score != arm.score || c.attention_bias != arm.bias || (c.begin_token >= 0) != arm.begin)
      throw bad_recipe(path(arm) + ": not a model of " + arm.label);
    decoder_ = std::make_shared<const Decoder>(maker_->model());
    found_[arm.name].loss = loss_in_context(maker_->model(), recipe(arm), 256, options_.seed + 5);
    maker_.reset();
    return true;
  }

  void sinks(const Arm& arm) {
    Found& f = found_[arm.name];
    const std::int64_t at = arm.begin ? arm.begin_at : -1;
    const auto probed = [&](const ProbeText& text) {
      AttentionProbe probe(decoder_);
      probe_texts(probe, text, options_.sequences, options_.seed);
      return probe;
    };
    const auto all = [](const AttentionProbe& probe) {
      std::vector<double> out;
      for (std::int64_t k = 0; k < kSinkPositions; ++k) out.push_back(probe.sink(k));
      return out;
    };
    const AttentionProbe quiet = probed({.repeat = 0, .begin_at = at}),
                         text = probed({.repeat = 0.4, .begin_at = at});
    f.sinks = all(quiet), f.sinks_in_text = all(text);
    f.bias = quiet.sink_bias(), f.bias_in_text = text.sink_bias();
    for (std::int64_t h = 0; h < decoder_->config().heads; ++h)
      f.importance = std::max(
          f.importance, quiet.head(1, h).importance[static_cast<std::size_t>(std::max<std::int64_t>(0, at))]);
    f.norm_ratio = quiet.norms(0).hidden_first / quiet.norms(0).hidden_others;
    if (arm.begin) {
      f.without_begin = probed({.repeat = 0, .begin_at = -1}).sink(0);
      f.random_first = probed({.repeat = 0, .begin_at = at, .random_first = true}).sink(at);
    }
    masses(arm, at, f);
  }

  /// Attention of layer 2, at keys within a context, on the begin token or the bias: where the next value is
  /// new, and where it repeats.
  void masses(const Arm& arm, std::int64_t at, Found& f) {
    const auto heads = static_cast<std::size_t>(decoder_->config().heads);
    std::vector<double> fresh(heads), again(heads);
    double fresh_count = 0, again_count = 0;
    const bool bias = arm.bias != AttentionBias::kNone;
    for (std::int64_t i = 0; i < options_.sequences; ++i) {
      TestStream s = test_stream(streaming_text(), 0.4, kSinkLength, false,
                                 Random(stable_hash("mass " + std::to_string(i), options_.seed)));
      if (at >= 0) {
        s.tokens.insert(s.tokens.begin() + at, 0);
        s.facts.insert(s.facts.begin() + at, PairText::Token{0});
        s.tokens.pop_back(), s.facts.pop_back();
      }
      Session session(decoder_, std::make_unique<FullMemory>(decoder_->config(), decoder_->rope()));
      session.workspace().attention.tap(
          [&](std::int64_t layer, std::int64_t head, std::int64_t n, std::span<const float> p) {
            if (layer != 1) return;
            const auto slots = static_cast<std::int64_t>(p.size()) / n;
            for (std::int64_t t = 8; t + 1 < n; ++t) {
              if (!streaming_text().is_key(s.tokens[static_cast<std::size_t>(t)])) continue;
              const std::span<const float> row =
                  p.subspan(static_cast<std::size_t>(t * slots), static_cast<std::size_t>(slots));
              double sum = 0;
              for (const float v : row) sum += static_cast<double>(v);
              const auto slot = static_cast<std::size_t>(bias ? slots - 1 : std::max<std::int64_t>(0, at));
              const bool repeats = s.facts[static_cast<std::size_t>(t) + 1].repeated;
              (repeats ? again : fresh)[static_cast<std::size_t>(head)] +=
                  static_cast<double>(row[slot]) / std::max(sum, 1e-9);
              if (head == 0) (repeats ? again_count : fresh_count) += 1;
            }
          });
      session.feed(s.tokens);
    }
    for (std::size_t h = 0; h < heads; ++h)
      if (const double mass = fresh[h] / std::max(1.0, fresh_count); mass > f.fresh)
        f.fresh = mass, f.again = again[h] / std::max(1.0, again_count);
  }

  /// What it costs to drop the first tokens: window - 1 sink, over tokens 128 to 399.
  void windows(const Arm& arm) {
    Found& f = found_[arm.name];
    // The begin token third would be no sink of a window of one: that arm is about places.
    if (arm.begin_at > 0) return;
    for (const std::int64_t cache : {16, 32}) {
      double lost = 0;
      for (std::int64_t i = 0; i < options_.streams; ++i) {
        const TestStream s = test_stream(streaming_text(), 0.4, kSinkText, arm.begin,
                                         Random(stable_hash("window " + std::to_string(i), options_.seed)));
        const auto nll = [&](std::int64_t sinks) {
          Session session(decoder_, std::make_unique<SinkMemory>(
                                        decoder_->config(), decoder_->rope(),
                                        SinkMemory::Options{.sinks = sinks, .recent = cache - sinks}));
          return mean_nll(scored(session, s.tokens).nll, kSettled, kSinkText);
        };
        lost += nll(0) - nll(1);
      }
      f.window[cache] = lost / static_cast<double>(options_.streams);
    }
  }

  static std::string first(const std::vector<double>& sinks) {
    return decimals(sinks[0]) + ", " + decimals(sinks[1]) + ", " + decimals(sinks[2]);
  }
  std::string losses(const Found& f) const {
    return decimals(f.window.at(16)) + " / " + decimals(f.window.at(32));
  }

  void conclude() {
    const Found &begin = found_["begin"], &plain = found_["plain"], &key = found_["key"],
                &third = found_["third"], &sigmoid = found_["sigmoid"], &normalised = found_["normalised"];
    const auto least = [](const Found& f) { return std::min(f.window.at(16), f.window.at(32)); };
    const auto most = [](const Found& f) { return std::max(f.window.at(16), f.window.at(32)); };
    claim(name_ + "softmax, begin token: the model has learnt; loss in context (nats)", Value(), Value(),
          begin.loss, "< 3.05, or the run is void", begin.loss < 3.05);
    claim(name_ + "softmax, begin token: sink 1 on match-free text (%); sinks 1 to 3 of test text beside it",
          "18.18 at 60M", first(begin.sinks_in_text), begin.sinks[0], ">= 15", begin.sinks[0] >= 15);
    claim(name_ + "softmax, begin token: the greater of sinks 2 and 3 (%)", Value(), Value(),
          std::max(begin.sinks[1], begin.sinks[2]), "<= 2", std::max(begin.sinks[1], begin.sinks[2]) <= 2);
    claim(name_ +
              "softmax, begin token: mass of a head of layer 2 on it where the next value is new; where it "
              "repeats beside it",
          Value(), begin.again, begin.fresh, ">= 0.5, and <= 0.3 beside it",
          begin.fresh >= 0.5 && begin.again <= 0.3);
    claim(name_ + "softmax, begin token: window without sinks - 1 sink (nats), 16 kept / 32 kept: " +
              losses(begin),
          Value(), Value(), least(begin), ">= 0.7", least(begin) >= 0.7);
    claim(name_ + "K bias, no begin token: sink 1 (%)", "0.00", plain.sinks[0], key.sinks[0], "<= 2",
          key.sinks[0] <= 2);
    claim(name_ + "K bias, no begin token: sink of the bias on match-free text (%); of test text beside it",
          "73.34", key.bias_in_text, key.bias, ">= 15", key.bias >= 15);
    claim(name_ + "K bias, no begin token: window - 1 sink (nats), 16 / 32 kept: " + losses(key) +
              "; softmax without begin token " + losses(plain),
          Value(), most(plain), most(key), "<= 0.05", most(key) <= 0.05);
    claim(name_ + "K bias, no begin token: loss in context; softmax without begin token beside it (nats)",
          "3.72 against 3.73", plain.loss, key.loss, "no more than 1 % above", key.loss <= 1.01 * plain.loss);
    claim(name_ + "begin token third: sink 3 (%); importance of the head that has most " +
              decimals(third.importance),
          Value(), begin.sinks[2], third.sinks[2], ">= 12", third.sinks[2] >= 12);
    claim(name_ + "begin token third: sink 1 (%); sink 2 beside it", Value(), third.sinks[1], third.sinks[0],
          "<= 2", third.sinks[0] <= 2);
    claim(name_ + "sigmoid without normalisation, begin token: sink 1 (%, proxy); loss " +
              decimals(sigmoid.loss) + " against softmax " + decimals(begin.loss),
          "0.44", begin.sinks[0], sigmoid.sinks[0], "<= 2", sigmoid.sinks[0] <= 2);
    claim(name_ + "sigmoid without normalisation: window - 1 sink (nats), 16 / 32 kept: " + losses(sigmoid),
          Value(), least(begin), most(sigmoid), "<= 0.2", most(sigmoid) <= 0.2);
    claim(name_ + "sigmoid, normalised, begin token: sink 1 on match-free text (%); loss " +
              decimals(normalised.loss) + ", mass where the value is new " + decimals(normalised.fresh),
          "30.24", sigmoid.sinks[0], normalised.sinks[0], ">= 6", normalised.sinks[0] >= 6);
    claim(name_ + "sigmoid, normalised: window - 1 sink (nats), 16 / 32 kept: " + losses(normalised), Value(),
          most(sigmoid), least(normalised), ">= 0.3", least(normalised) >= 0.3);
    figure(name_ +
               "begin-token model on text without it: sink 1 (%); with a random token in its place beside "
               "it. The sink "
               "belongs to the token, not to the place",
           Value(), begin.random_first, begin.without_begin);
    std::string norms;
    for (const Arm& arm : kAll)
      norms +=
          (norms.empty() ? "" : "; ") + std::string(arm.label) + " " + decimals(found_[arm.name].norm_ratio);
    figure(name_ + "norm of the first position's hidden state behind layer 1 / mean of the others: " + norms,
           Value(), Value(), begin.norm_ratio);
    for (const Arm& arm : kAll) {
      const Found& f = found_[arm.name];
      for (std::int64_t k = 0; k < kSinkPositions; ++k)
        point("Sinks on match-free text by position (%), seed " + std::to_string(seed_), arm.label,
              static_cast<double>(k + 1), f.sinks[static_cast<std::size_t>(k)]);
    }
  }

  SinkStudy::Options options_;
  std::int64_t seed_;
  std::string name_;
  std::unique_ptr<ModelMaker> maker_;
  std::shared_ptr<const Decoder> decoder_;
  std::map<std::string, Found> found_;
};

}  // namespace

void probe_texts(AttentionProbe& probe, const ProbeText& text, std::int64_t sequences, std::uint64_t seed) {
  const PairTextShape shape = streaming_text();
  for (std::int64_t i = 0; i < sequences; ++i) {
    Random random(stable_hash("probe " + std::to_string(i), seed));
    PairText source(shape, text.repeat, Random(random()));
    source.take(static_cast<std::int64_t>(random.below(1000)));  // samples begin anywhere in a text
    std::vector<std::int32_t> tokens = source.take(kSinkLength - (text.begin_at >= 0 ? 1 : 0));
    if (text.begin_at >= 0) {
      const auto any =
          static_cast<std::int32_t>(1 + random.below(static_cast<std::uint64_t>(shape.vocabulary() - 1)));
      tokens.insert(tokens.begin() + text.begin_at, text.random_first ? any : 0);
    }
    probe.add(tokens);
  }
}

Spec SinkStudy::spec() {
  const Options o;
  return Spec("llm.study_sink",
              "A study: when attention sinks emerge, what replaces them and what removes them.")
      .output<Record>("claims",
                      "{\"claim\", \"paper\", \"baseline\", \"measured\", \"bar\", \"held\"}, and points of "
                      "curves {\"plot\", "
                      "\"series\", \"x\", \"y\"}")
      .path("model", "models/pairs-begin-0.h5",
            "the first of the models that recipe train-pair-text made; those of the other arms lie beside "
            "it, with plain, "
            "key, third, sigmoid or normalised for begin, and of other seeds with those for 0; models of "
            "later seeds that are not there are trained in the run")
      .param("train", false, "train all arms in this run instead, from its seed: a minute or two for each")
      .param("seeds", std::int64_t{2}, "of every arm, from seed 0 on", range(1, 100))
      .param("sequences", o.sequences, "unseen ones of 64 tokens that are probed", range(1, 1e6))
      .param("streams", o.streams, "texts of 400 tokens for the price of a window", range(1, 1e5))
      .param("curve_steps", o.curve_steps, "updates of the model that is trained and probed in the run",
             range(100, 1e6))
      .param("parts", std::vector<std::string>{kSinkArms, kSinkExact, kSinkCurve},
             "what is measured, in this order; switches, which is not among them by default: a short "
             "training for "
             "each switch of `llm.train`, beside the paper's figures",
             choices({kSinkArms, kSinkExact, kSinkCurve, kSinkSwitches}))
      .param("switch_steps", o.switch_steps, "updates of each arm of the switches", range(1, 1e6))
      .param("quick", false, "one seed, 30 sequences, 4 texts, no training; the same bars")
      .contract({.order = Order::kStateful, .cost = Cost::kHeavy})
      .about(
          "Small models of pair text, trained alike but for one switch: with a begin token in front, "
          "without, with a key "
          "that "
          "belongs to no token (K bias), with the begin token third, and with sigmoid scores, normalised or "
          "not. A sink is "
          "a "
          "position that a head gives more than 0.3 of its attention, on average over 64 tokens of text in "
          "which no key "
          "comes "
          "again.\n\n"
          "Bars: the begin token is a sink (15 % of heads and sequences) and dropping it costs 0.7 nats; a K "
          "bias takes its "
          "place "
          "at no cost, and then a window without sinks is free; put third, the begin token is a sink there; "
          "sigmoids "
          "without "
          "normalisation have none, normalised ones do. Losses are printed beside them: the sigmoids learn "
          "less in as many "
          "steps, so no loss is compared there. The curve trains one model in the run: the sink comes with "
          "recall, not "
          "before.")
      .paper("Gu et al., When Attention Sink Emerges in Language Models, ICLR 2025 (arXiv 2410.10781)")
      .example("What is exact", R"(title = "Attention sinks, briefly"
[nodes.study]
use   = "llm.study_sink"
parts = ["exact"]

[nodes.claims]
use  = "jsonl.write"
from = "study"
)");
}

SinkStudy::SinkStudy(const Params& p) : StudySource(parts_of(p)) {
  options_.model = p.get<bool>("train") ? "" : p.input_path("model");
  options_.sequences = p.get<std::int64_t>("sequences");
  options_.streams = p.get<std::int64_t>("streams");
  options_.curve_steps = p.get<std::int64_t>("curve_steps");
  options_.switch_steps = p.get<std::int64_t>("switch_steps");
  options_.quick = p.get<bool>("quick");
  options_.seed = p.context().seed;
  if (options_.quick) {
    options_.sequences = std::min<std::int64_t>(30, options_.sequences);
    options_.streams = std::min<std::int64_t>(4, options_.streams);
    options_.switch_steps = std::min<std::int64_t>(10, options_.switch_steps);
  }
}

std::unique_ptr<StudyPart> SinkStudy::part(const std::string& which) const {
  if (which == kSinkExact) return sink_exact(options_);
  if (which == kSinkCurve) return sink_curve(options_);
  if (which.starts_with(kSinkSwitches)) return sink_switches(options_, seed_of_part(which));
  return std::make_unique<Arms>(options_, seed_of_part(which));
}

}  // namespace stream::llm
