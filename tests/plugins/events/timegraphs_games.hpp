/// Small games and event models learnt from them, for the tests of TimeGraphs.
#pragma once

#include <map>

#include "events/event_pretraining.hpp"
#include "events/game_trainer.hpp"
#include "events/pitch_world.hpp"
#include "events/reasoning_head.hpp"
#include "events/timegraphs_model.hpp"
#include "nn/device.hpp"

namespace stream::events {

inline Games games(std::size_t count, std::uint64_t seed, std::int64_t steps = 110) {
  Random random(seed);
  PitchOptions o;
  o.players = 4, o.steps = steps, o.most_gap = 20;
  Games out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(play_pitch(o, random));
  return out;
}

inline std::vector<Scene> scenes_of(std::uint64_t seed) { return games(1, seed)[0].scenes; }

inline std::shared_ptr<const EventModel> learnt(std::int64_t delay) {
  static std::map<std::int64_t, std::shared_ptr<const EventModel>> known;
  auto& model = known[delay];
  if (model) return model;
  auto streams = std::make_shared<EventPretraining::Streams>();
  for (const Game& game : games(4, 1)) streams->push_back(game.scenes);
  PretrainingOptions o;
  o.delay = delay, o.steps = 20, o.batch = 2;
  EventPretraining learning(pitch_vocabulary(), streams, o, 3);
  while (!learning.finished()) learning.step();
  return model = learning.model();
}

inline at::Tensor logits(const EventGraph& graph) {
  const EventGraph* one = &graph;
  HeadShape shape = head_shape(*learnt(1), Asked{{"a", "b"}, false, false, {}});
  const ReasoningHead head(shape, 5);
  return nn::inference([&] { return head.forward(batch_of(std::span(&one, 1), shape)).logits; });
}

}  // namespace stream::events
