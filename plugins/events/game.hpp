/// What made-up worlds of scenes have in common: a game, and what is asked about it.
#pragma once

#include "events/scene.hpp"
#include "stream/random.hpp"

namespace stream::events {

/// Something that happened, for labels and for measuring: no model sees it.
struct Act {
  std::int64_t step;
  std::string kind, agent;
};

/// A question at the end of a step, and its answer.
struct Question {
  std::int64_t step;
  /// One number (a class) for the whole scene, or `outputs` numbers of 0 and 1 for each node of the step, in
  /// the order of its nodes; a negative number says nothing about that node.
  std::vector<float> answer;
};

struct Game {
  std::vector<Scene> scenes;
  std::vector<Act> acts;
  std::vector<Question> questions;
  double gap = 0;  ///< mean of the quiet steps between the acts that the answer depends on
};

}  // namespace stream::events
