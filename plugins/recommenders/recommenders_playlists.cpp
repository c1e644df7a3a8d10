#include "recommenders/recommenders_playlists.hpp"

#include <cmath>

#include "stream/error.hpp"

namespace stream::recommenders {

namespace {

double rounded(double value, double to) { return std::round(value / to) * to; }

}  // namespace

Value record_of_track(const Track& t, const std::string& id) {
  Array artists;
  for (const Artist& artist : t.artists) {
    Array genres;
    for (const std::string& genre : artist.genres) genres.emplace_back(genre);
    artists.emplace_back(Object{{"id", artist.name},
                                {"popularity", std::round(artist.popularity)},
                                {"followers", artist.followers},
                                {"genres", std::move(genres)}});
  }
  const auto& f = t.fields;
  const auto fine = [](double v) { return rounded(v, 1.0 / 1024); };
  return Object{{"id", id},
                {"popularity", static_cast<std::int64_t>(std::lround(f[0]))},
                {"explicit", f[1] > 0},
                {"duration_ms", static_cast<std::int64_t>(std::llround(f[3] * 1000))},
                {"artists", std::move(artists)},
                {"album", Object{{"release_date", std::to_string(static_cast<int>(f[2]))}}},
                {"added_at", static_cast<std::int64_t>(t.added)},
                {"danceability", fine(f[4])},
                {"energy", fine(f[5])},
                {"loudness", fine(f[6])},
                {"speechiness", fine(f[7])},
                {"acousticness", fine(f[8])},
                {"instrumentalness", fine(f[9])},
                {"liveness", fine(f[10])},
                {"valence", fine(f[11])},
                {"tempo", fine(f[12])},
                {"key", t.key},
                {"mode", t.mode},
                {"time_signature", t.time_signature}};
}

Spec PlaylistsSource::spec() {
  return Spec("recommenders.playlists", "Make up listeners' playlists, and what they give away.")
      .output<Record>("events",
                      "{\"user\", \"event\": \"playlist_add\", \"playlist\", \"ts\", \"name\", "
                      "\"followers\", \"tracks\": "
                      "[...]}, keyed by user")
      .output<Record>(
          "attributes",
          "{\"user\", \"gender\", \"age\", \"openness\", \"extraversion\", \"sport\", \"neuroticism\", "
          "\"null_a\", \"null_b\"}")
      .param("users", std::int64_t{PlaylistWorldOptions{}.users}, "who listen", range(1, 1e7))
      .contract({.order = Order::kStateful})
      .about(
          "Attributes act at different levels, so that no average sees them all: gender shifts genres a "
          "little, age "
          "makes one playlist of the music of one's youth, open listeners have more artists and wider "
          "genres, "
          "extraverts more energetic party and calmer sad playlists, sport one playlist for workouts; "
          "neuroticism lowers valence in sad playlists and raises it at parties. null_a and null_b are "
          "coins.")
      .paper(
          "Tricomi, Pajola, Pasa, Conti, 'All of Me': Mining Users' Attributes from their Public Spotify "
          "Playlists, arXiv 2401.14296, 2024")
      .example("Three listeners", R"([nodes.world]
use   = "recommenders.playlists"
users = 3

[nodes.out]
use  = "jsonl.write"
from = "world.attributes"
)");
}

PlaylistsSource::PlaylistsSource(const Params& p)
    : world_({.users = p.get<std::int32_t>("users"), .seed = p.random("world")()}) {}

bool PlaylistsSource::read(Output& out) {
  if (next_ >= world_.options().users) return false;
  const MadeListener listener = world_.listener(static_cast<std::int32_t>(next_));
  // All playlists are looked at when the world ends, a second for each listener.
  const auto now = static_cast<std::int64_t>(PlaylistWorld::kNow) + next_;
  const Time time{now * 1'000'000'000};
  for (const MadePlaylist& playlist : listener.playlists) {
    Array tracks;
    for (const Track& track : playlist.tracks)
      tracks.push_back(record_of_track(track, playlist.id + "-" + std::to_string(tracks.size())));
    Packet packet = Packet::of<Record>(time, Object{{"user", listener.name},
                                                    {"event", "playlist_add"},
                                                    {"playlist", playlist.id},
                                                    {"ts", now},
                                                    {"name", playlist.facts.name},
                                                    {"description", playlist.facts.described ? "mine" : ""},
                                                    {"collaborative", playlist.facts.collaborative},
                                                    {"followers", playlist.facts.followers},
                                                    {"created", std::floor(playlist.facts.created)},
                                                    {"tracks", std::move(tracks)}});
    packet.key = Key(listener.name);
    out.emit(0, std::move(packet));
  }
  Object attributes{{"user", listener.name}};
  for (const auto& [name, value] : listener.attributes) attributes.set(name, value);
  out.emit(1, Packet::of<Record>(time, std::move(attributes)));
  return ++next_ < world_.options().users;
}

double PlaylistsSource::fraction() const {
  return static_cast<double>(next_) / static_cast<double>(world_.options().users);
}

void PlaylistsSource::load(const Archive& state) {
  next_ = state.get<std::int64_t>("next");
  if (next_ < 0 || next_ > world_.options().users) throw bad_data("the checkpoint is of another world");
}

}  // namespace stream::recommenders
