/// A listener's playlists, event by event.
#pragma once

#include <map>
#include <string>

#include "recommenders/playlist_features.hpp"

namespace stream::recommenders {

class PlaylistBook {
 public:
  enum class Change : std::uint8_t { kChanged, kRemoved };
  /// Takes an event in: {"event": "playlist_add", "name", "description", "collaborative", "followers",
  /// "created", "tracks": [...]}; "playlist_update" with those of them that change, "tracks" being all of
  /// them and "added" further ones; "playlist_remove". Throws events::EventFault ("missing", "event", "type",
  /// "time", "tracks", "playlist-twice", "unknown-playlist") and changes nothing then.
  Change apply(const std::string& playlist, const Object& members);
  /// x of a playlist at a time, in seconds since 1970.
  std::vector<double> features(const std::string& playlist, double now) const;
  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }
  void save(Archive& group) const;
  void load(const Archive& group);

 private:
  struct Entry {
    PlaylistFacts facts;
    PlaylistSums sums;
  };
  static std::size_t bytes_of(const std::string& playlist, const Entry& entry);
  std::map<std::string, Entry> entries_;
  std::size_t bytes_ = 0;
};

}  // namespace stream::recommenders
