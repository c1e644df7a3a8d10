/// SirLLM's decay: surprisals that never fade freeze the cache on what once surprised.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>

#include "llm/memory_full.hpp"
#include "llm/memory_sink.hpp"
#include "llm/memory_sir.hpp"
#include "llm/study_part.hpp"
#include "llm/study_sir.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

constexpr double kChance = 1.0 / static_cast<double>(kThrows);
constexpr const char *kSinks = "StreamingLLM", *kAnyTokens = "random tokens", *kAnyPlay = "random play",
                     *kBayes = "Bayes";
/// The arms of SirLLM; the claim is for `kFading`.
constexpr const char *kFast = "eta 0.8", *kFading = "eta 0.9", *kLasting = "eta 1";
constexpr std::array<std::pair<const char*, double>, 3> kDecays{
    {{kFast, 0.8}, {kFading, 0.9}, {kLasting, 1.0}}};
constexpr std::int64_t kSpans = 10;  ///< of a game, for the curve

ModelRecipe game_model(std::int64_t steps) {
  ModelRecipe r;
  r.throws = ThrowShape();
  r.length = 96, r.hidden = 32, r.ffn = 64, r.steps = steps;
  return r;
}

/// A mean and its standard error, from independent values.
struct Mean {
  double value = 0, error = 0;
};
Mean mean_of(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  Mean out;
  for (const double v : values) out.value += v / n;
  for (const double v : values) out.error += (v - out.value) * (v - out.value);
  out.error = n > 1 ? std::sqrt(out.error / (n - 1) / n) : 0;
  return out;
}

/// Both in points of win rate: "7.08 +- 0.82".
std::string with_error(const Mean& m) {
  char text[64];
  std::snprintf(text, sizeof text, "%.2f +- %.2f", 100 * m.value, 100 * m.error);
  return text;
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", 100 * share);
  return text;
}

/// What one player did in all games.
struct Played {
  std::vector<std::int64_t> won;               ///< rounds of each game
  std::array<std::int64_t, kSpans> by_span{};  ///< rounds of each tenth of all games
  double age = 0, oldest = 0;                  ///< of cached tokens but the sink, in rounds, mean over rounds
  double throws = 0;                           ///< share of throws among them
};

/// The throw that a model holds for likeliest.
std::int64_t likeliest_of(const ThrowShape& shape, std::span<const float> logits) {
  std::int64_t best = 0;
  for (std::int64_t t = 1; t < kThrows; ++t)
    if (logits[static_cast<std::size_t>(shape.of_throw(t))] >
        logits[static_cast<std::size_t>(shape.of_throw(best))])
      best = t;
  return best;
}

class Games final : public JobsPart {
 public:
  Games(const SirStudy::Options& o, std::int64_t seed)
      : options_(o),
        recipe_(game_model(o.game_steps)),
        shape_(*recipe_.throws),
        name_("games, seed " + std::to_string(seed)),
        seed_(stable_hash("games " + std::to_string(seed), o.seed)),
        maker_("", recipe_, stable_hash("games", o.seed * 1000 + static_cast<std::uint64_t>(seed))) {
    job("model", [this] { return maker_.step(); });
    once("in context", [this] { in_context(); });
    const auto sir = [this](const char* arm, double decay, SirMemory::Rule rule) {
      games(arm, [=, this](std::uint64_t game) -> std::unique_ptr<Memory> {
        return std::make_unique<SirMemory>(
            decoder_->config(), decoder_->rope(),
            SirMemory::Options{1, options_.game_cap - 1, 0, decay, rule, false, false, seed_ + game});
      });
    };
    for (const auto& [arm, decay] : kDecays) sir(arm, decay, SirMemory::Rule::kSurprisal);
    sir(kAnyTokens, 1, SirMemory::Rule::kRandom);
    games(kSinks, [this](std::uint64_t) -> std::unique_ptr<Memory> {
      return std::make_unique<SinkMemory>(decoder_->config(), decoder_->rope(),
                                          SinkMemory::Options{.sinks = 1, .recent = options_.game_cap - 1});
    });
    once("players without a model", [this] { without_model(); });
    once("claims", [this] { conclude(); });
  }
  std::string progress() const override {
    const std::string job = JobsPart::progress();
    return name_ + ": " + (job == "model" ? maker_.progress() : job);
  }
  /// A quick run's model has learnt little, and its games are few.
  std::vector<Object> records() const override {
    auto out = JobsPart::records();
    return options_.quick ? unjudged(std::move(out)) : out;
  }

 private:
  Random random(const char* what, std::int64_t number) const {
    return Random(stable_hash(std::string(what) + ' ' + std::to_string(number), seed_));
  }

  /// Against the exact posterior of the same rounds, which knows the period but not when it began. What
  /// counts is the opponent's probability of the throw that is expected.
  void in_context() {
    decoder_ = std::make_shared<const Decoder>(maker_.model());
    const std::int64_t contexts = options_.quick ? 32 : 256;
    const std::int64_t rounds = (recipe_.length - 1) / shape_.tokens_of_round();
    double model = 0, bayes = 0;
    const auto chance = [&](const Ranking& ranking, std::int64_t expected) {
      const auto rank = std::find(ranking.begin(), ranking.end(), expected) - ranking.begin();
      return shape_.probabilities().at(static_cast<std::size_t>(rank)) /
             static_cast<double>(contexts * rounds);
    };
    for (std::int64_t i = 0; i < contexts; ++i) {
      Opponent opponent(shape_, random("context", i));
      for (std::uint64_t skip = random("offset", i).below(static_cast<std::uint64_t>(shape_.period));
           skip > 0; --skip)
        opponent.next();
      ThrowBelief belief(shape_, ThrowBelief::Start::kAnywhere);
      Session session(decoder_, std::make_unique<FullMemory>(decoder_->config(), decoder_->rope()));
      session.step(0);
      for (std::int64_t round = 0; round < rounds; ++round) {
        if (shape_.call) session.step(shape_.of_call());
        const std::int64_t thrown = opponent.next();
        model += chance(opponent.ranking(), likeliest_of(shape_, session.logits()));
        bayes += chance(opponent.ranking(), likeliest(belief.predict()));
        session.step(shape_.of_throw(thrown));
        belief.observe(thrown);
      }
    }
    const double share = (model - kChance) / (bayes - kChance);
    claim(name_ + ": expected wins above chance over " + std::to_string(rounds) +
              " rounds in context, as a share of those of the exact posterior (win rates " + percent(model) +
              " and " + percent(bayes) + " %)",
          Value(), Value(), share, ">= 0.8, or the run is void", share >= 0.8);
  }

  /// Plays all games, which are the same for every arm.
  template <typename Make>
  void games(const char* arm, Make make) {
    job(arm, [this, arm, make] {
      Played& played = played_[arm];
      play(make(played.won.size()), played);
      if (static_cast<std::int64_t>(played.won.size()) < options_.games) return false;
      const auto n = static_cast<double>(options_.games);
      played.age /= n, played.oldest /= n, played.throws /= n;
      return true;
    });
  }

  std::int64_t span_of(std::int64_t round) const { return round * kSpans / options_.rounds; }
  void count(Played& played, std::int64_t round, bool win) const {
    played.won.back() += win;
    played.by_span.at(static_cast<std::size_t>(span_of(round))) += win;
  }

  void play(std::unique_ptr<Memory> memory, Played& played) {
    Opponent opponent(shape_, random("game", static_cast<std::int64_t>(played.won.size())));
    played.won.push_back(0);
    Session session(decoder_, std::move(memory));
    const auto* const sir = dynamic_cast<const SirMemory*>(&session.memory());
    for (std::int64_t round = 0; round < options_.rounds; ++round) {
      session.memory().reserve(shape_.tokens_of_round() + (round == 0 ? 1 : 0));
      if (round == 0) session.step(0);
      if (shape_.call) session.step(shape_.of_call());
      const std::int64_t expected = likeliest_of(shape_, session.logits()), thrown = opponent.next();
      count(played, round, expected == thrown);
      session.step(shape_.of_throw(thrown));
      session.memory().end_of_turn();
      if (session.memory().stored_tokens(0, 0) > options_.game_cap)
        throw failed("a memory of " + std::to_string(options_.game_cap) + " tokens kept more");
      if (sir != nullptr) look(*sir, round, played);
    }
  }

  /// What is in the cache.
  void look(const SirMemory& sir, std::int64_t round, Played& played) const {
    const auto& turns = sir.turns();
    const auto slots = static_cast<double>(turns.size() - 1) * static_cast<double>(options_.rounds);
    for (std::size_t i = 1; i < turns.size(); ++i) {
      played.age += static_cast<double>(round - turns[i]) / slots;
      // Behind the begin token every round has the same number of tokens, the throw last.
      played.throws += (sir.tokens()[i] % shape_.tokens_of_round() == 0) / slots;
    }
    played.oldest += static_cast<double>(round - turns[1]) / static_cast<double>(options_.rounds);
  }

  /// Random play, and the best: the exact posterior, told when the favourite changes.
  void without_model() {
    for (std::int64_t game = 0; game < options_.games; ++game) {
      Opponent opponent(shape_, random("game", game));
      Random any = random("play", game);
      ThrowBelief belief(shape_, ThrowBelief::Start::kAtChange);
      for (const char* arm : {kAnyPlay, kBayes}) played_[arm].won.push_back(0);
      for (std::int64_t round = 0; round < options_.rounds; ++round) {
        const std::int64_t thrown = opponent.next();
        count(played_[kAnyPlay], round, static_cast<std::int64_t>(any.below(kThrows)) == thrown);
        count(played_[kBayes], round, likeliest(belief.predict()) == thrown);
        belief.observe(thrown);
      }
    }
  }

  /// Win rate of `a`, or what it is above that of `b` in the games that both played.
  Mean win_rate(const char* a, const char* b = nullptr) {
    std::vector<double> rates;
    for (std::size_t i = 0; i < played_[a].won.size(); ++i)
      rates.push_back(static_cast<double>(played_[a].won[i] - (b != nullptr ? played_[b].won[i] : 0)) /
                      static_cast<double>(options_.rounds));
    return mean_of(rates);
  }

  void conclude() {
    const std::string at = name_ + ", cap " + std::to_string(options_.game_cap) + ": ";
    std::string table;
    for (const char* arm : {kFast, kSinks, kAnyTokens, kAnyPlay, kBayes})
      table += (table.empty() ? "" : ", ") + std::string(arm) + " " + percent(win_rate(arm).value);
    figure(at + "win rate (%) of eta 0.9 over " + std::to_string(options_.rounds) +
               " rounds without a reset, eta 1 beside it; " + table,
           "37.33 (Yi-6B)", 100 * win_rate(kLasting).value, 100 * win_rate(kFading).value);
    const Mean gain = win_rate(kFading, kLasting);
    claim(at + "points of win rate that eta 0.9 is above eta 1, " + with_error(gain) +
              " (mean and standard error of " + std::to_string(options_.games) +
              " games); eta 0.8: " + with_error(win_rate(kFast, kLasting)),
          Value(), Value(), 100 * gain.value, ">= 2, and more than 3 standard errors",
          gain.value >= 0.02 && gain.value > 3 * gain.error);
    beside_bayes(at);
    const Mean recent = win_rate(kFading, kSinks);
    const char* const verdict = recent.value > 2 * recent.error    ? "better"
                                : recent.value < -2 * recent.error ? "worse"
                                                                   : "neither better nor worse";
    figure(at + "eta 0.9 is " + verdict + " than StreamingLLM with as large a cache: points above it, " +
               with_error(recent) + "; above random tokens: " + with_error(win_rate(kFading, kAnyTokens)),
           "37.33 against 36.15, random 32.31", Value(), 100 * recent.value);
    std::string ages;
    for (const char* arm : {kFast, kLasting, kAnyTokens}) {
      const Played& p = played_[arm];
      ages += (ages.empty() ? "" : ", ") + std::string(arm) + " " + decimals(p.age) + " / " +
              decimals(p.oldest) + " / " + decimals(p.throws);
    }
    const Played& fading = played_[kFading];
    figure(at + "mean age of the cached tokens in rounds with eta 0.9 (the oldest: " +
               decimals(fading.oldest) + "; share of throws among them: " + decimals(fading.throws) +
               "); the same three of others beside it",
           Value(), ages, fading.age);
    curves();
  }

  void beside_bayes(const std::string& at) {
    bool below = true;
    double most = -1;
    std::string table;
    for (const char* arm : {kFast, kFading, kLasting, kSinks, kAnyTokens, kAnyPlay}) {
      const Mean above = win_rate(arm, kBayes);
      below = below && above.value <= 3 * above.error;
      most = std::max(most, above.value);
      table += (table.empty() ? "" : ", ") + std::string(arm) + " " + with_error(above);
    }
    claim(
        at +
            "points above the exact posterior, which knows the probabilities and when the favourite changes; "
            "the most of all players",
        Value(), table, 100 * most, "<= 3 standard errors, each player", below);
  }

  void curves() {
    std::array<double, kSpans> rounds{};
    for (std::int64_t round = 0; round < options_.rounds; ++round)
      rounds.at(static_cast<std::size_t>(span_of(round))) += static_cast<double>(options_.games);
    for (const auto& [arm, played] : played_)
      for (std::size_t span = 0; span < rounds.size(); ++span)
        point("Win rate by round", name_ + ", " + arm,
              (static_cast<double>(span) + 0.5) * static_cast<double>(options_.rounds) / kSpans,
              static_cast<double>(played.by_span[span]) / rounds[span]);
  }

  SirStudy::Options options_;
  ModelRecipe recipe_;
  ThrowShape shape_;
  std::string name_;
  std::uint64_t seed_;
  ModelMaker maker_;
  std::shared_ptr<const Decoder> decoder_;
  std::map<std::string, Played> played_;
};

}  // namespace

std::unique_ptr<StudyPart> sir_throws(const SirStudy::Options& options, std::int64_t seed) {
  return std::make_unique<Games>(options, seed);
}

}  // namespace stream::llm
