/// States of keys that have not been used for long, on disk: a cache of what no checkpoint needs it for.
///
/// A spill writes some states as one archive (a segment), maps it and takes its name away, so that the disk's
/// space is the process's own and goes with it, however it ends. A state that comes back leaves a hole; when
/// holes prevail, segments are written anew without them.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/packed_states.hpp"

namespace stream {

class KeySpill {
 public:
  struct Place {
    std::uint32_t segment, row;
    bool operator<(const Place& other) const {
      return segment != other.segment ? segment < other.segment : row < other.row;
    }
  };
  /// Told where a state lies from now on.
  using Moved = std::function<void(std::string_view key, Place to)>;

  /// `folder`: is made when the first state comes; empty: $TMPDIR, else /var/tmp.
  KeySpill(std::string folder, Moved moved) : folder_(std::move(folder)), moved_(std::move(moved)) {}

  /// States that one segment holds at most.
  static constexpr std::size_t kMost = 4096;
  /// A segment of what the packer holds, at most kMost states of keys that are not here yet. Throws
  /// Error(kCannotWrite), with nothing changed.
  void write(StatePacker& states);
  std::string_view key(Place place) const { return segments_[place.segment].states->key(place.row); }
  /// A copy; it is still here afterwards. Throws Error(kBadData).
  Archive state(Place place);
  /// Copies of many, in the order of the disk, with no more than one segment's pages in memory.
  void states(std::span<const Place> places, const std::function<void(std::size_t i, Archive)>& f) const;
  void erase(Place place);
  /// States in it.
  std::size_t size() const { return alive_; }
  std::size_t segments() const;
  /// Each segment with the rows that are still in use. They share their memory with it, stay as they are when
  /// it goes, and must not be changed.
  void each(
      const std::function<void(const Archive& packed, const std::vector<std::uint8_t>& alive)>& f) const;

 private:
  struct Segment {
    std::optional<PackedStates> states;
    Buffer pages;  ///< of its file
    std::vector<std::uint8_t> alive;
    std::size_t count = 0;  ///< of those alive
  };
  void add(StatePacker& states);
  void tidy();
  void let_go_of_pages() const;
  void prepare_folder();
  std::string folder_;
  Moved moved_;
  bool prepared_ = false;
  std::vector<Segment> segments_;
  std::vector<std::uint32_t> unused_;  ///< places in segments_
  std::size_t alive_ = 0, rows_ = 0;
  std::size_t read_ = 0;  ///< states since pages were last let go
};

}  // namespace stream
