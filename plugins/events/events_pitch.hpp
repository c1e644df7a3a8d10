/// events.pitch: made-up games of two teams and a ball, with labels apart.
#pragma once

#include "events/game_source.hpp"
#include "events/pitch_world.hpp"

namespace stream::events {

class PitchSource final : public GameSource {
 public:
  static Spec spec();
  explicit PitchSource(const Params& params);

 private:
  Game play(Random& random) const override { return play_pitch(options_, random); }
  PitchOptions options_;
};

}  // namespace stream::events
