/// A few made-up listeners, and a model learnt from them.
#pragma once

#include "recommenders/deepset_trainer.hpp"
#include "recommenders/playlist_world.hpp"
#include "recommenders/random_forest.hpp"
#include "recommenders/recommenders_playlists.hpp"
#include "stream/testing.hpp"

namespace stream::recommenders::testing {

inline PlaylistWorldOptions small_playlists() { return {.users = 24, .seed = 3}; }

inline std::shared_ptr<const ListenerData> small_listeners() {
  const auto table = std::make_shared<const ListenerTable>(table_of_world(PlaylistWorld(small_playlists())));
  return std::make_shared<ListenerData>(table, split_listeners(24, 0.2, 0.2, Random(1)));
}

inline void write_small_attributes(const std::string& path) {
  DeepSetTrainer trainer(small_listeners(), {.batch = 8, .epochs = 2}, Random(1));
  while (!trainer.finished()) trainer.step();
  trainer.model().write(path);
}

/// One listener's events, a minute apart, as events.read brings them.
inline std::vector<Packet> playlist_packets(std::int32_t user) {
  const MadeListener listener = PlaylistWorld(small_playlists()).listener(user);
  std::vector<Packet> out;
  for (const MadePlaylist& playlist : listener.playlists) {
    Array tracks;
    for (const Track& track : playlist.tracks) tracks.push_back(record_of_track(track, "t"));
    const auto number = static_cast<std::int64_t>(out.size());
    Packet packet = Packet::of<Record>(
        Time{(static_cast<std::int64_t>(PlaylistWorld::kNow) + 60 * number) * 1'000'000'000},
        Object{{"line", number + 1},
               {"item", playlist.id},
               {"event", "playlist_add"},
               {"name", playlist.facts.name},
               {"description", playlist.facts.described ? "mine" : ""},
               {"collaborative", playlist.facts.collaborative},
               {"followers", playlist.facts.followers},
               {"created", playlist.facts.created},
               {"tracks", std::move(tracks)}});
    packet.key = Key(listener.name);
    out.push_back(std::move(packet));
  }
  return out;
}

}  // namespace stream::recommenders::testing
