#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "llm/memory_full.hpp"
#include "llm/memory_recompute.hpp"
#include "llm/memory_sink.hpp"
#include "llm/study_part.hpp"
#include "llm/study_streaming.hpp"

namespace stream::llm {
namespace {

constexpr std::int64_t kLength = 400;  // tokens of a text of the tables
constexpr std::size_t kSettled = 128;  // from here on a cache has long been full
constexpr double kRepeat = 0.4;

ModelRecipe recipe(bool begin) {
  ModelRecipe r;
  r.text = streaming_text();
  r.begin = begin;
  return r;
}

/// What a policy did over all texts.
struct Tally {
  std::vector<double> sums = std::vector<double>(kLength), counts = std::vector<double>(kLength);
  std::int64_t near = 0, near_right = 0, far = 0,
               far_right = 0;  ///< repeated values inside and outside of the cache

  void add(const TestStream& stream, const Scored& s, std::int64_t cache) {
    for (std::size_t t = 1; t < stream.tokens.size(); ++t) {
      sums[t] += static_cast<double>(s.nll[t]);
      counts[t] += 1;
      const PairText::Token& fact = stream.facts[t];
      if (!fact.repeated || t < kSettled) continue;
      const bool right = s.guesses[t] == fact.id;
      if (fact.distance <= cache - 6) ++near, near_right += right;
      if (fact.distance > cache + 2) ++far, far_right += right;
    }
  }
  double mean(std::size_t from, std::size_t to) const {
    double sum = 0, count = 0;
    for (std::size_t t = from; t < to; ++t) sum += sums[t], count += counts[t];
    return count > 0 ? sum / count : 0;
  }
  double recall_near() const {
    return near > 0 ? static_cast<double>(near_right) / static_cast<double>(near) : 0;
  }
  double recall_far() const {
    return far > 0 ? static_cast<double>(far_right) / static_cast<double>(far) : 0;
  }
};

class Quality final : public JobsPart {
 public:
  Quality(const StreamingStudy::Options& o, std::int64_t seed, bool begin)
      : options_(o),
        seed_(seed),
        begin_(begin),
        maker_((begin ? o.model : o.plain).empty() ? std::string()
                                                   : path_of_seed(begin ? o.model : o.plain, seed),
               recipe(begin), o.seed * 1000 + static_cast<std::uint64_t>(seed)) {
    job("model", [this] { return maker_.step(); });
    once("loss", [this] { loss(); });
    once("bigrams", [this] { bigrams(); });
    once("dense", [this] { table("dense", 0, [this] { return full(); }); });
    for (const std::int64_t c : o.caches) {
      const std::string at = " at " + std::to_string(c);
      const std::int64_t first = begin ? 1 : 0;
      once("window" + at, [this, c] { table("window", c, [this, c] { return sink(0, c); }); });
      for (const std::int64_t n : {1, 2, 4, 8})
        if (c - n >= 1)
          once(std::to_string(n) + " sinks" + at,
               [this, c, n] { table(std::to_string(n), c, [this, c, n] { return sink(n, c - n); }); });
      once("re-computation" + at,
           [this, c, first] { table("recompute", c, [this, c, first] { return recompute(first, c); }); });
      once("stream positions" + at, [this, c] {
        table("stream", c, [this, c] { return sink(1, c - 1, SinkMemory::Keys::kStreamPositions); });
      });
      if (begin) once("long stream" + at, [this, c] { long_stream(c); });
      once("claims" + at, [this, c] { conclude(c); });
    }
    if (begin) once("attention", [this] { attention(); });
  }
  std::string progress() const override {
    const std::string job = JobsPart::progress();
    return name() + ": " + (job == "model" ? maker_.progress() : job);
  }

 private:
  std::string name() const { return begin_ ? "seed " + std::to_string(seed_) : "control"; }
  std::shared_ptr<const Decoder> decoder() {
    if (!decoder_) decoder_ = std::make_shared<const Decoder>(maker_.model());
    return decoder_;
  }
  Session full() {
    return Session(decoder(), std::make_unique<FullMemory>(decoder()->config(), decoder()->rope()));
  }
  Session sink(std::int64_t sinks, std::int64_t recent, SinkMemory::Keys keys = SinkMemory::Keys::kTurned) {
    return Session(decoder(), std::make_unique<SinkMemory>(decoder()->config(), decoder()->rope(),
                                                           SinkMemory::Options{sinks, recent, keys}));
  }
  Session recompute(std::int64_t first, std::int64_t window) {
    return Session(decoder(), std::make_unique<RecomputeMemory>(decoder()->config(), decoder()->rope(),
                                                                RecomputeMemory::Options{first, window}));
  }
  TestStream text(const std::string& purpose, std::int64_t length) const {
    return test_stream(streaming_text(), kRepeat, length, begin_,
                       Random(stable_hash(purpose, options_.seed + 77)));
  }

  void loss() {
    const double nll = loss_in_context(maker_.model(), recipe(begin_), 256, options_.seed + 5);
    if (begin_)
      claim(name() + ": the model has learnt; loss in context on unseen training text (nats)", Value(),
            Value(), nll, "< 3.05, or the run is void", nll < 3.05);
  }

  /// What tables of single tokens and pairs of tokens reach, counted over as many tokens as a training sees.
  void bigrams() {
    if (!begin_) return;
    const auto v = static_cast<std::size_t>(streaming_text().vocabulary());
    std::vector<double> single(v, 1.0), pairs(v * v, 1.0 / static_cast<double>(v));
    std::vector<double> rows(v, 1.0);
    double total = static_cast<double>(v);
    for (std::int64_t i = 0; i < 500; ++i) {
      PairText source(streaming_text(), kRepeat,
                      Random(stable_hash("count " + std::to_string(i), options_.seed)));
      const auto tokens = source.take(2000);
      for (std::size_t t = 1; t < tokens.size(); ++t) {
        const auto a = static_cast<std::size_t>(tokens[t - 1]), b = static_cast<std::size_t>(tokens[t]);
        single[b] += 1, total += 1, pairs[a * v + b] += 1, rows[a] += 1;
      }
    }
    double one = 0, two = 0, count = 0;
    const TestStream test = text("bigrams", 20'000);
    for (std::size_t t = 2; t < test.tokens.size(); ++t) {
      const auto a = static_cast<std::size_t>(test.tokens[t - 1]),
                 b = static_cast<std::size_t>(test.tokens[t]);
      one -= std::log(single[b] / total);
      two -= std::log(pairs[a * v + b] / rows[a]);
      count += 1;
    }
    unigram_ = one / count, bigram_ = two / count;
  }

  template <typename Make>
  void table(const std::string& policy, std::int64_t cache, Make make) {
    Tally& tally = tallies_[{policy, cache}];
    for (std::int64_t i = 0; i < options_.streams; ++i) {
      const TestStream stream = text("stream " + std::to_string(i), kLength);
      Session session = make();
      tally.add(stream, scored(session, stream.tokens), cache);
    }
  }

  /// One stream of many times the context, for sink, window and re-computation.
  void long_stream(std::int64_t cache) {
    const TestStream stream = text("long", options_.tokens);
    const auto run = [&](const char* series, Session session) {
      Scored s = scored(session, stream.tokens);
      for (std::size_t at = 0; at < s.nll.size(); at += 1000)
        point("NLL along the stream, " + std::to_string(cache) + " kept", name() + ", " + series,
              static_cast<double>(at + 500), mean_nll(s.nll, std::max(at, std::size_t{1}), at + 1000));
      return s;
    };
    const Scored sinks = run("1 sink", sink(1, cache - 1)), window = run("window", sink(0, cache)),
                 anew = run("re-computation", recompute(1, cache));
    const auto mean = [&](const Scored& s) { return mean_nll(s.nll, kSettled, s.nll.size()); };
    const std::string at =
        name() + ", " + std::to_string(cache) + " kept, " + std::to_string(options_.tokens) + " tokens: ";
    claim(at + "1 sink - re-computation (nats)", "5.40 against 5.43 perplexity", mean(anew),
          mean(sinks) - mean(anew), "<= 0.08", mean(sinks) - mean(anew) <= 0.08);
    claim(at + "window - 1 sink (nats)", "5158 against 5.40 perplexity", mean(sinks),
          mean(window) - mean(sinks), ">= 0.7", mean(window) - mean(sinks) >= 0.7);
    // Nothing creeps up. With few tokens, two standard errors of the difference are more than the bar.
    const std::size_t n = sinks.nll.size(), first = std::max(kSettled + 1, n / 5);
    const double early = mean_nll(sinks.nll, kSettled, first), late = mean_nll(sinks.nll, n - n / 5, n);
    double squares = 0;
    for (std::size_t t = kSettled; t < n; ++t)
      squares += (sinks.nll[t] - mean(sinks)) * (sinks.nll[t] - mean(sinks));
    const double variance = squares / static_cast<double>(n - kSettled);
    const auto fifth = n / 5;
    const double error =
        std::sqrt(variance * (1 / static_cast<double>(first - kSettled) + 1 / static_cast<double>(fifth)));
    const double room = std::max(0.15, 2 * error);
    claim(at + "last fifth - first fifth (nats)", "stable over 4 million tokens", early, late - early,
          "within " + decimals(room), std::abs(late - early) <= room);
  }

  void conclude(std::int64_t c) {
    const auto settled = [&](const std::string& policy, std::int64_t cache) {
      return tallies_[{policy, cache}].mean(kSettled, kLength);
    };
    const std::string at = name() + ", " + std::to_string(c) + " kept: ";
    const Tally& one = tallies_[{"1", c}];
    const double base = settled("1", c);
    std::string table = "window " + decimals(settled("window", c));
    for (const char* n : {"1", "2", "4", "8"})
      if (tallies_.contains({n, c})) table += ", " + std::string(n) + ": " + decimals(settled(n, c));
    table += ", re-computation " + decimals(settled("recompute", c)) + ", stream positions " +
             decimals(settled("stream", c));
    if (begin_) table += "; tables of tokens " + decimals(unigram_) + ", of pairs " + decimals(bigram_);
    const double window = settled("window", c) - base;
    if (!begin_) {
      figure(
          at + "NLL by sinks, tokens 128 to 399: window - 1 sink (control: no begin token, no sink learnt)",
          Value(), table, window);
      return;
    }
    claim(at + "NLL by sinks, tokens 128 to 399: window - 1 sink (nats)",
          "27.87 against 18.01 perplexity at 160M", table, window, ">= 0.7", window >= 0.7);
    const double dense = tallies_[{"dense", 0}].mean(256, kLength) - one.mean(256, kLength);
    claim(at + "dense - 1 sink from 4 times the context on (nats)", "dense fails beyond its context",
          one.mean(256, kLength), dense, ">= 1.0", dense >= 1.0);
    const double chance = 1.0 / static_cast<double>(streaming_text().values);
    claim(at + "recall of repeated values inside of the cache", "accurate inside",
          tallies_[{"recompute", c}].recall_near(), one.recall_near(), ">= 0.97",
          one.recall_near() >= 0.97 && one.near > 0);
    claim(at + "recall outside of the cache", "zero outside", chance, one.recall_far(), "<= chance + 0.04",
          one.recall_far() <= chance + 0.04 && one.far > 0);
    const Tally& wrong = tallies_[{"stream", c}];
    const double near = wrong.mean(kSettled, 256) - one.mean(kSettled, 256),
                 far = wrong.mean(256, kLength) - one.mean(256, kLength);
    claim(at + "positions in the stream instead of the cache (nats); " + decimals(near) +
              " before token 256, " + decimals(far) + " after",
          Value(), base, settled("stream", c) - base, ">= 0.12, growing",
          settled("stream", c) - base >= 0.12 && far > near);
    for (std::size_t t = 16; t + 16 <= kLength; t += 16) {
      const auto x = static_cast<double>(t + 8);
      const std::string plot = "NLL by place, " + std::to_string(c) + " kept, " + name();
      point(plot, "1 sink", x, one.mean(t, t + 16));
      point(plot, "window", x, tallies_[{"window", c}].mean(t, t + 16));
      point(plot, "stream positions", x, wrong.mean(t, t + 16));
      point(plot, "dense", x, tallies_[{"dense", 0}].mean(t, t + 16));
      point(plot, "re-computation", x, tallies_[{"recompute", c}].mean(t, t + 16));
    }
  }

  /// Mass that the second layer's heads put on the begin token, at keys whose value is new, and at those
  /// whose value repeats within the cache.
  void attention() {
    const std::int64_t c = options_.caches.back(), heads = decoder()->config().heads;
    std::vector<double> fresh(static_cast<std::size_t>(heads)), again(fresh);
    double fresh_count = 0, again_count = 0;
    for (std::int64_t i = 0; i < options_.streams; ++i) {
      const TestStream stream = text("stream " + std::to_string(i), kLength);
      Session session = sink(1, c - 1);
      std::vector<double> mass(static_cast<std::size_t>(heads));
      session.workspace().attention.tap(
          [&](std::int64_t layer, std::int64_t head, std::int64_t, std::span<const float> p) {
            if (layer == 1) mass[static_cast<std::size_t>(head)] = static_cast<double>(p[0]);
          });
      for (std::size_t t = 0; t + 1 < stream.tokens.size(); ++t) {
        session.step(stream.tokens[t]);
        if (t < kSettled || !streaming_text().is_key(stream.tokens[t])) continue;
        const PairText::Token& next = stream.facts[t + 1];
        const bool repeats = next.repeated && next.distance <= c - 6;
        if (next.repeated && !repeats) continue;
        for (std::size_t h = 0; h < mass.size(); ++h) (repeats ? again : fresh)[h] += mass[h];
        (repeats ? again_count : fresh_count) += 1;
      }
    }
    std::size_t best = 0;
    for (std::size_t h = 0; h < fresh.size(); ++h) {
      fresh[h] /= std::max(1.0, fresh_count), again[h] /= std::max(1.0, again_count);
      if (fresh[h] > fresh[best]) best = h;
    }
    claim(name() + ": mass of a head of layer 2 on the begin token where the next value is new",
          "sinks take most of the mass", Value(), fresh[best], ">= 0.5", fresh[best] >= 0.5);
    claim(name() + ": the same head where it repeats", Value(), fresh[best], again[best], "at least 0.3 less",
          fresh[best] - again[best] >= 0.3);
  }

  StreamingStudy::Options options_;
  std::int64_t seed_;
  bool begin_;
  ModelMaker maker_;
  std::shared_ptr<const Decoder> decoder_;
  std::map<std::pair<std::string, std::int64_t>, Tally> tallies_;
  double unigram_ = 0, bigram_ = 0;
};

}  // namespace

std::unique_ptr<StudyPart> streaming_quality(const StreamingStudy::Options& options, std::int64_t seed) {
  return std::make_unique<Quality>(options, seed, true);
}

std::unique_ptr<StudyPart> streaming_control(const StreamingStudy::Options& options) {
  return std::make_unique<Quality>(options, 0, false);
}

}  // namespace stream::llm
