/// A world that an agent acts in, one step at a time; offered by plugins beside their operators.
///
///     auto world = make_environment("cartpole limit=10000", params.context());
///     auto seen = world->reset(seed);
///     for (Transition t; !t.over(); seen = t.observation) t = world->step(policy(seen));
///
/// An episode is fixed by the seed that it is reset with and by the actions that follow. Loops do not cross
/// the graph, so an operator makes its environment itself and steps it from its own thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stream/archive.hpp"
#include "stream/params.hpp"
#include "stream/random.hpp"
#include "stream/spec.hpp"

namespace stream {

/// What an observation or an action may be: numbers within bounds, or one choice of several.
struct Space {
  std::vector<std::int64_t> shape;  ///< of a box, row by row; {1} when discrete
  std::vector<double> low, high;    ///< bounds of each number, or one bound for all; may be infinite
  std::int64_t choices = 0;         ///< a discrete space holds one whole number in [0, choices); 0: a box
  /// What each choice, each number, or each plane of a grid (last index) is; may be empty.
  std::vector<std::string> names;

  static Space discrete(std::vector<std::string> names);
  static Space box(std::vector<std::int64_t> shape, double low, double high,
                   std::vector<std::string> names = {});
  static Space box(std::vector<double> low, std::vector<double> high, std::vector<std::string> names = {});

  bool is_discrete() const { return choices > 0; }
  /// Numbers in one observation or action.
  std::size_t size() const;
  double low_of(std::size_t i) const { return low.size() == 1 ? low[0] : low[i]; }
  double high_of(std::size_t i) const { return high.size() == 1 ? high[0] : high[i]; }
  Value to_value() const;
  static Space from_value(const Value& value);
  friend bool operator==(const Space&, const Space&) = default;
};

struct Spaces {
  Space observation, action;
  friend bool operator==(const Spaces&, const Spaces&) = default;
};

/// What one step led to. The observation is the environment's own buffer: valid until the next call.
struct Transition {
  std::span<const double> observation;
  double reward = 0;
  bool terminated = false;  ///< the episode ended by the rules: there is no future reward
  bool truncated = false;   ///< the episode was cut off by its limit on steps
  bool over() const { return terminated || truncated; }
};

class Environment {
 public:
  virtual ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  const Spaces& spaces() const { return spaces_; }
  /// Steps after which an episode is truncated; 0 for none.
  std::int64_t limit() const { return limit_; }
  std::int64_t steps() const { return steps_; }  ///< taken in this episode

  /// Starts an episode, ending the one before, and returns its first observation.
  std::span<const double> reset(std::uint64_t seed);
  /// One step; allocates nothing. `action`: spaces().action.size() numbers. Those of a box are clipped to its
  /// bounds; an action of another size, a choice that there is not, a NaN, or a step outside an episode
  /// throws Error(kBadData) and changes nothing.
  Transition step(std::span<const double> action) {
    if (!running_ || !valid(action)) refuse(action);
    const Outcome outcome = move(action, observation_);
    ++steps_;
    const bool truncated = !outcome.terminated && limit_ > 0 && steps_ >= limit_;
    running_ = !outcome.terminated && !truncated;
    return {observation_, outcome.reward, outcome.terminated, truncated};
  }
  Transition step(std::int64_t choice) {
    const auto action = static_cast<double>(choice);
    return step({&action, 1});
  }
  /// The observation that reset or the last step returned.
  std::span<const double> observation() const { return observation_; }

  /// Everything that the rest of the episode depends on.
  void save(Archive& state) const;
  void load(const Archive& state);

 protected:
  struct Outcome {
    double reward = 0;
    bool terminated = false;
  };
  Environment(Spaces spaces, std::int64_t limit);
  /// Puts the world into its first state and writes the first observation. random() has just been seeded.
  virtual void start(std::span<double> observation) = 0;
  /// One step of the rules. `observation` holds what was observed before and takes what is observed now.
  virtual Outcome move(std::span<const double> action, std::span<double> observation) = 0;
  /// The world's own state; the random generator, the observation and the number of steps are kept here.
  virtual void store(Archive& state) const = 0;
  virtual void restore(const Archive& state) = 0;

  Random& random() { return random_; }
  /// The `size` numbers that `store` wrote under that name; Error(kBadData) when there are more or fewer.
  static std::vector<double> stored(const Archive& state, std::string_view name, std::size_t size);
  /// `action[i]` within its bounds.
  double clipped(std::span<const double> action, std::size_t i) const {
    const double low = spaces_.action.low_of(i), high = spaces_.action.high_of(i);
    return action[i] < low ? low : action[i] > high ? high : action[i];
  }

 private:
  bool valid(std::span<const double> action) const {
    if (action.size() != action_size_) return false;
    if (spaces_.action.is_discrete()) {
      return action[0] >= 0 && action[0] < static_cast<double>(spaces_.action.choices) &&
             action[0] == static_cast<double>(static_cast<std::int64_t>(action[0]));
    }
    for (const double a : action) {
      if (a != a) return false;
    }
    return true;
  }
  [[noreturn]] void refuse(std::span<const double> action) const;

  Spaces spaces_;
  std::size_t action_size_;
  std::vector<double> observation_;
  Random random_;
  std::int64_t limit_ = 0, steps_ = 0;
  bool running_ = false;
};

/// An environment as a plugin offers it. Its class has `static Spec spec()` (name, summary and parameters,
/// all with defaults; no ports and no contract), `static Spaces spaces(const Params&)`, and a constructor
/// that takes `const Params&`.
struct EnvironmentEntry {
  Spec spec;
  Spaces spaces;  ///< under default parameters, for documentation
  std::unique_ptr<Environment> (*make)(const Params&);
};

/// What can make environments by name; the registry of the program.
class EnvironmentMaker {
 public:
  virtual ~EnvironmentMaker();
  virtual std::unique_ptr<Environment> make_environment(std::string_view description,
                                                        const Context& context) = 0;
};

/// An environment from its name and, after blanks, its parameters: "cartpole limit=10000 gravity=3.7". Throws
/// Error(kBadRecipe) for unknown names and parameters (with the nearest) and for values that cannot be. The
/// plugins that the program knows are looked through; a context that no registry made, as in tests, takes
/// those of the default folders.
std::unique_ptr<Environment> make_environment(std::string_view description, const Context& context);

}  // namespace stream
