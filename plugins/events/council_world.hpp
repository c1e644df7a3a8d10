/// Seven who talk, look at one another, vote and go on missions; two or three of them are spies who know each
/// other.
///
/// After the Resistance game of Maheshwari et al., "TimeGraphs: Graph-based Temporal Reasoning", arXiv
/// 2401.03134.
#pragma once

#include "events/game.hpp"

namespace stream::events {

struct CouncilOptions {
  std::int64_t players = 7;
  std::int64_t rounds = 5;
  std::int64_t talk = 24;  ///< steps of talk before each vote
};

/// Types "player", "table"; relations "speaks", "looks"; x: on the team, the vote (1 or -1), and of the table
/// how the mission ended (1 or -1).
const SceneVocabulary& council_vocabulary();

/// Asked after each round from the third on: who is a spy.
Game hold_council(const CouncilOptions& options, Random& random);

}  // namespace stream::events
