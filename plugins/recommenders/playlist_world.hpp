/// Made-up listeners with attributes, and the playlists that give them away.
#pragma once

#include <string>
#include <vector>

#include "recommenders/playlist_features.hpp"
#include "stream/random.hpp"

namespace stream::recommenders {

struct PlaylistWorldOptions {
  std::int32_t users = 2000;
  std::uint64_t seed = 0;
};

struct MadePlaylist {
  std::string id;
  PlaylistFacts facts;
  std::vector<Track> tracks;
};

struct MadeListener {
  std::string name;
  std::vector<std::pair<std::string, Value>> attributes;  ///< two names, or numbers for age
  std::vector<MadePlaylist> playlists;
};

/// Attributes act at different levels, so that no average sees them all. gender: shares of genres shift a
/// little. age: one playlist of music from about when the listener was 16. openness: more artists (45 against
/// 30), and genres further apart. extraversion: party playlists are more energetic and sad ones calmer, by as
/// much. sport: a playlist for workouts, with probability .85 against .25. neuroticism: valence falls in sad
/// playlists and rises at parties. null_a and null_b: coins, that no playlist knows of.
class PlaylistWorld {
 public:
  explicit PlaylistWorld(PlaylistWorldOptions options);
  /// A function of the seed and the user alone: 2 + Poisson(12) playlists of 8 + Poisson(25) tracks.
  MadeListener listener(std::int32_t user) const;
  const PlaylistWorldOptions& options() const { return options_; }
  /// Names of the attributes, in order.
  static const std::vector<std::string>& attributes();
  /// When everything is looked at: seconds since 1970.
  static constexpr double kNow = 1.7e9;

 private:
  static constexpr std::size_t kMadeGenres = 16, kArtistsOfGenre = 60;
  struct Profile;
  Track track(const Profile& profile, int context, bool workout, double year, Random& random) const;
  PlaylistWorldOptions options_;
  std::vector<std::array<double, kSongFields>> genres_;  ///< means of the fields
  std::vector<Artist> artists_;                          ///< kArtistsOfGenre of each genre
};

}  // namespace stream::recommenders
