/// Made-up listeners: sessions of repeats, drawn by a power-law memory, and of discoveries near a drifting
/// interest.
#pragma once

#include <span>
#include <vector>

#include "recommenders/actr_memory.hpp"
#include "stream/random.hpp"

namespace stream::recommenders {

struct WorldOptions {
  std::int32_t tracks = 2000, genres = 40, users = 400, sessions = 120;
  bool memory = true;  ///< repeats follow the power law of their times; false: uniform over what was heard
  std::uint64_t seed = 0;
};

struct Play {
  std::int32_t user, track, session;  ///< user and session from 0, track from 1
  double time;                        ///< seconds
};

/// Tracks lie in genres, each with a latent vector, and in groups of 6 to 10 that are heard together. Users
/// have three genres that drift, and a share of repeats between 0.3 and 0.8. Gaps between sessions are
/// log-normal, hours to days, with breaks of weeks.
class ListeningWorld {
 public:
  explicit ListeningWorld(WorldOptions options);
  /// The plays of one user, in order of time: a function of the seed and the user alone.
  std::vector<Play> plays(std::int32_t user) const;
  /// For each of the user's sessions from `first` on, how likely it is that it holds a track, [tracks + 1]:
  /// shares of so many sessions that there could have been instead, by all that is hidden from whoever sees
  /// plays alone.
  std::vector<std::vector<float>> chances(std::int32_t user, std::int32_t first, std::int64_t draws) const;
  const WorldOptions& options() const { return options_; }
  /// Which group a track belongs to.
  std::int32_t group(std::int32_t track) const { return group_[static_cast<std::size_t>(track)]; }

 private:
  static constexpr std::size_t kLatent = 16;
  struct Mood;
  struct Listener;
  Listener listener(Random& random) const;
  std::vector<std::int32_t> session(const Listener& listener, Mood& mood, std::span<const Activation> known,
                                    bool first, Random& random) const;
  std::int32_t discover(const Listener& listener, Mood& mood, const std::vector<std::int32_t>& session,
                        Random& random) const;
  std::int32_t repeat(const Mood& mood, std::span<const Activation> known,
                      const std::vector<std::int32_t>& session, Random& random) const;
  /// Calls `f(session, time, tracks, listener and mood before it, what was remembered then)` for each session
  /// of a user.
  template <typename F>
  void live(std::int32_t user, F&& f) const;
  WorldOptions options_;
  std::vector<std::int32_t> genre_, group_;  ///< of each track; entry 0 is none
  std::vector<std::vector<std::int32_t>> in_genre_, in_group_;
  std::vector<std::vector<double>> latent_;
  std::vector<double> popularity_;
};

}  // namespace stream::recommenders
