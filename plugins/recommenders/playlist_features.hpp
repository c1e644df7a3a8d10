/// 111 numbers about a playlist, from running sums over its tracks.
///
/// Tricomi, Pajola, Pasa, Conti, "'All of Me': Mining Users' Attributes from their Public Spotify Playlists",
/// arXiv 2401.14296, 2024, which counts 111 features of a playlist, its songs and its artists.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "stream/archive.hpp"
#include "stream/value.hpp"

namespace stream::recommenders {

inline constexpr std::size_t kPlaylistFeatures = 111, kSongFields = 13, kGenres = 24;

struct Artist {
  std::string name;              ///< or id: what tells artists apart
  double popularity, followers;  ///< NaN: not known
  std::vector<std::string> genres;
};

struct Track {
  /// popularity, explicit, release year, duration (s), danceability, energy, loudness (dB), speechiness,
  /// acousticness, instrumentalness, liveness, valence, tempo (BPM); NaN where one is not known.
  std::array<double, kSongFields> fields;
  int key = -1;             ///< 0 to 11, -1: not known
  int mode = -1;            ///< 1 major, 0 minor, -1: not known
  int time_signature = -1;  ///< beats in a bar, -1: not known
  std::vector<Artist> artists;
  double added;  ///< seconds since 1970 at which it came onto the playlist; NaN: not known
};

/// A track as Spotify's API writes it: {"name", "popularity", "explicit", "duration_ms", "artists": [{"id",
/// "name", "popularity", "followers", "genres"}], "album": {"release_date"}, "added_at", and the audio
/// features beside these or under "audio_features"}; an item {"added_at", "track": {...}} around it counts,
/// too, and so do {"trackName", "artistName"} of an account's export, and {"track_name", "artist_name",
/// "duration_ms"} of the Million Playlist Dataset. What is missing is not known. Throws Error(kBadData) for
/// what is no track.
Track track_of(const Value& value);

struct PlaylistFacts {
  std::string name;
  bool described = false, collaborative = false;
  double followers = 0;
  double created = 0;  ///< seconds since 1970; 0: when the first track was added
};

/// Which of 24 coarse genres a genre belongs to: "canadian indie rock" is indie. -1: none of them.
int coarse_genre(const std::string& genre);
const std::array<const char*, kGenres>& coarse_genres();

/// Name of each feature: "energy_mean", "key_3", "genre_k-pop" ...
const std::vector<std::string>& playlist_feature_names();

class PlaylistSums {
 public:
  void add(const Track& track);
  /// x, with NaN for what is not known. `now`: seconds since 1970.
  std::vector<double> features(const PlaylistFacts& facts, double now) const;
  std::int64_t tracks() const { return tracks_; }
  void save(Archive& group) const;
  void load(const Archive& group);
  std::size_t bytes() const;

 private:
  struct Moments {
    double n = 0, sum = 0, squares = 0, least = 0, most = 0;
    void add(double value);
    double mean() const;
    double deviation() const;
  };
  template <typename Self, typename Do>
  static void each_moment(Self& self, const Do& act);
  std::int64_t tracks_ = 0;
  std::array<Moments, kSongFields> fields_;
  Moments artist_popularity_, artist_followers_, artist_genres_;
  std::array<double, 12> keys_{};
  double keyed_ = 0, major_ = 0, moded_ = 0, common_time_ = 0, timed_ = 0;
  std::array<double, kGenres> genres_{};
  std::map<std::string, std::int64_t> artists_;  ///< how many credits each has
  std::int64_t credits_ = 0, runs_ = 0;          ///< runs_: tracks by the artist of the one before
  std::string last_artist_;
  std::map<std::int64_t, std::int64_t> decades_, days_;  ///< releases by decade, additions by day
  double first_added_ = 0, last_added_ = 0, added_ = 0;
};

}  // namespace stream::recommenders
