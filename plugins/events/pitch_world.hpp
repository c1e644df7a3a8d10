/// A pitch with two teams and a ball: acts, and much drifting in between.
///
/// After the football simulator of Maheshwari et al., "TimeGraphs: Graph-based Temporal Reasoning", arXiv
/// 2401.03134, at the size of a test.
#pragma once

#include "events/game.hpp"

namespace stream::events {

enum class PitchTask : std::uint8_t {
  kCounter,  ///< was the last goal a counter-attack: an interception, two forward passes, a shot
  kNext,     ///< which agents pass, shoot, win the ball in the next 15 steps
};

struct PitchOptions {
  PitchTask task = PitchTask::kCounter;
  std::int64_t players = 5;  ///< of a team
  std::int64_t steps = 320;
  std::int64_t least_gap = 5,
               most_gap = 80;  ///< quiet steps between acts; half of the games short, half long
};

/// Types "home", "away", "ball"; relations "near" (from each player to the nearest other), "has" (the ball);
/// x: place, velocity, the way that one's team attacks (1 or -1), and the speed that way. The ball's team is
/// the one that had it last.
const SceneVocabulary& pitch_vocabulary();
/// Acts that are foretold for each node: pass, shot, win.
constexpr std::int64_t kPitchActs = 3;
constexpr std::int64_t kPitchAhead = 15;

Game play_pitch(const PitchOptions& options, Random& random);

}  // namespace stream::events
