/// events.council: made-up rounds of talk, votes and missions, with the spies as labels apart.
#pragma once

#include "events/council_world.hpp"
#include "events/game_source.hpp"

namespace stream::events {

class CouncilSource final : public GameSource {
 public:
  static Spec spec();
  explicit CouncilSource(const Params& params);

 private:
  Game play(Random& random) const override { return hold_council(options_, random); }
  CouncilOptions options_;
};

}  // namespace stream::events
