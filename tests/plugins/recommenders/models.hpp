/// A small trained model, and the log that it comes from.
#pragma once

#include "recommenders/pisa_model.hpp"
#include "recommenders/study_pisa_quality.hpp"

namespace stream::recommenders::testing {

inline WorldOptions small_world() {
  WorldOptions world;
  world.tracks = 120, world.genres = 6, world.users = 6, world.sessions = 30, world.seed = 3;
  return world;
}

inline std::unique_ptr<PisaTrainer> small_trainer(std::int64_t epochs = 1) {
  TrainerOptions options;
  options.shape.features = 12, options.shape.length = 5, options.shape.blocks = 2;
  options.shape.item_rate = 1, options.epochs = epochs, options.batch = 16;
  return std::make_unique<PisaTrainer>(log_of_world(small_world()), options, Random(1));
}

inline void write_small_model(const std::string& path) {
  const auto trainer = small_trainer();
  while (!trainer->finished()) trainer->step();
  write_pisa(path, trainer->best(), trainer->log().catalogue, trainer->cooccurrence(), 0.4);
}

/// One user's plays as packets.
inline std::vector<Packet> packets_of(std::int32_t user) {
  std::vector<Packet> out;
  std::int64_t line = 0;
  for (const Play& play : ListeningWorld(small_world()).plays(user)) {
    Packet packet = Packet::of<Record>(Time{static_cast<std::int64_t>(play.time * 1e9)},
                                       Object{{"line", ++line}, {"item", "t" + std::to_string(play.track)}});
    packet.key = Key("u" + std::to_string(user));
    out.push_back(std::move(packet));
  }
  return out;
}

}  // namespace stream::recommenders::testing
