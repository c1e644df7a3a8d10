/// Throw text: an opponent at rock-paper-scissors who has a favourite, for SirLLM's study of decay.
///
/// One throw is the favourite, one comes second, one last, with fixed probabilities. Every `period` rounds
/// another throw becomes the favourite, and the other two take up the ranks behind it in either order: four
/// orders are equally likely. In the text a round is a call, which is the same in every round, and the throw.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "stream/archive.hpp"
#include "stream/random.hpp"

namespace stream::llm {

constexpr std::int64_t kThrows = 3;

struct ThrowShape {
  std::int64_t period = 60;              ///< rounds with one favourite
  double favourite = 0.5, second = 0.3;  ///< probabilities; the last has the rest
  bool call = true;                      ///< a token in front of each throw

  std::int64_t vocabulary() const { return 2 + kThrows; }
  std::int32_t of_throw(std::int64_t t) const { return static_cast<std::int32_t>(1 + t); }
  std::int32_t of_call() const { return static_cast<std::int32_t>(1 + kThrows); }
  std::int64_t tokens_of_round() const { return call ? 2 : 1; }
  /// By rank, the favourite's first.
  std::array<double, kThrows> probabilities() const { return {favourite, second, 1 - favourite - second}; }
  /// What is wrong with it, or empty.
  std::string fault() const;
};

/// The throw of each rank, the favourite's first.
using Ranking = std::array<std::int8_t, kThrows>;
constexpr std::array<Ranking, 6> kRankings{
    {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};

/// The throws alone: 0, 1 or 2.
class Opponent {
 public:
  Opponent(ThrowShape shape, Random random);
  std::int64_t next();
  /// Of the round that `next` threw last.
  const Ranking& ranking() const { return kRankings[ranking_]; }

  void save(Archive& group) const;
  /// Throws Error(kBadData) for what no opponent of this shape can have saved.
  void load(const Archive& group);

 private:
  ThrowShape shape_;
  Random random_;
  std::size_t ranking_;
  std::int64_t thrown_ = 0;  ///< since the favourite changed
};

/// Throws as token ids: 0 is left for a begin token, then come the throws and the call.
class ThrowText {
 public:
  ThrowText(ThrowShape shape, Random random) : shape_(shape), opponent_(shape, random) {}
  std::int32_t next();
  std::vector<std::int32_t> take(std::int64_t count);

  void save(Archive& group) const;
  void load(const Archive& group);

 private:
  ThrowShape shape_;
  Opponent opponent_;
  bool called_ = false;  ///< the throw comes next
};

/// What can be known of the next throw from throws seen so far, exactly: Bayes' rule over the ranking and the
/// rounds since it changed.
class ThrowBelief {
 public:
  /// What is known of the first round that is seen: a change lies right in front of it, or somewhere.
  enum class Start : std::uint8_t { kAtChange, kAnywhere };
  ThrowBelief(ThrowShape shape, Start start);
  /// Probabilities of the next throw.
  std::array<double, kThrows> predict() const;
  void observe(std::int64_t thrown);

 private:
  double& at(std::size_t ranking, std::int64_t age) {
    return weight_[ranking * static_cast<std::size_t>(shape_.period) + static_cast<std::size_t>(age)];
  }
  ThrowShape shape_;
  std::vector<double> weight_;  ///< [6, period]: of the ranking in the next round, by its age there
};

/// The likeliest, the lowest number among equals. What beats it is the best play: a win alone counts.
std::int64_t likeliest(const std::array<double, kThrows>& probabilities);

}  // namespace stream::llm
