/// recommenders.playlists: made-up listeners' playlists and attributes, to train and test on.
#pragma once

#include "recommenders/playlist_world.hpp"
#include "stream/operator.hpp"

namespace stream::recommenders {

class PlaylistsSource final : public Source {
 public:
  static Spec spec();
  explicit PlaylistsSource(const Params& params);
  bool read(Output& out) override;
  double fraction() const override;
  void save(Archive& state) const override { state.set("next", next_); }
  void load(const Archive& state) override;

 private:
  PlaylistWorld world_;
  std::int64_t next_ = 0;  ///< listener
};

/// A track as Spotify's API writes it, but for what nothing reads; fractions in steps of 1/1024.
Value record_of_track(const Track& track, const std::string& id);

}  // namespace stream::recommenders
