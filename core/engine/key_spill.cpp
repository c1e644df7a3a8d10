#include "engine/key_spill.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <random>

#include "hdf5/archive_library.hpp"

namespace stream {
namespace {

constexpr const char* kPrefix = "stream-keys-";

/// A process that is killed while it writes leaves a file behind, which nobody else would remove.
void remove_leftovers(const std::filesystem::path& folder) {
  std::error_code ignored;
  const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (!entry.path().filename().string().starts_with(kPrefix) || entry.path().extension() != ".h5") continue;
    if (const auto written = entry.last_write_time(ignored); !ignored && written < old)
      std::filesystem::remove(entry.path(), ignored);
  }
}

}  // namespace

void KeySpill::prepare_folder() {
  if (prepared_) return;
  if (folder_.empty()) {
    const char* set = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe): nobody writes it
    folder_ = set != nullptr && *set != '\0' ? set : "/var/tmp";
  }
  std::error_code why;
  std::filesystem::create_directories(folder_, why);
  if (why) throw cannot_write(folder_ + ": cannot be made, for the keys that do not fit: " + why.message());
  remove_leftovers(folder_);
  prepared_ = true;
}

void KeySpill::write(StatePacker& states) {
  prepare_folder();
  add(states);
  tidy();
}

void KeySpill::add(StatePacker& states) {
  // The folder may be one that everybody writes to.
  static const std::string mine =
      kPrefix + std::to_string(::getpid()) + "-" + std::to_string(std::random_device()());
  static std::atomic<std::uint64_t> number{0};
  const std::string path =
      (std::filesystem::path(folder_) / (mine + "-" + std::to_string(++number) + ".h5")).string();
  auto [archive, pages] = archive_library().write_nameless(path, states.take());
  PackedStates packed(archive);
  if (unused_.empty())
    unused_.push_back(static_cast<std::uint32_t>(segments_.size())), segments_.emplace_back();
  const std::uint32_t place = unused_.back();
  unused_.pop_back();
  const std::size_t count = packed.size();
  Segment& segment = segments_[place];
  segment.states.emplace(std::move(packed));
  segment.pages = std::move(pages);
  segment.alive.assign(count, 1);
  segment.count = count;
  alive_ += count, rows_ += count;
  for (std::uint32_t row = 0; row < count; ++row) moved_(key({place, row}), {place, row});
  archive_library().let_go(segments_[place].pages);
}

/// What has been looked at would stay in memory until that is short, and count as ours.
void KeySpill::let_go_of_pages() const {
  for (const Segment& segment : segments_) archive_library().let_go(segment.pages);
}

Archive KeySpill::state(Place place) {
  if (++read_ % kMost == 0) let_go_of_pages();
  return segments_[place.segment].states->state(place.row);
}

void KeySpill::states(std::span<const Place> places,
                      const std::function<void(std::size_t i, Archive)>& f) const {
  std::vector<std::size_t> order(places.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return places[a] < places[b]; });
  for (auto at = order.begin(); at != order.end();) {
    const std::uint32_t number = places[*at].segment;
    const Segment& segment = segments_[number];
    for (; at != order.end() && places[*at].segment == number; ++at)
      f(*at, segment.states->state(places[*at].row));
    archive_library().let_go(segment.pages);
  }
}

void KeySpill::erase(Place place) {
  Segment& segment = segments_[place.segment];
  segment.alive[place.row] = 0;
  --alive_;
  if (--segment.count > 0) return;
  rows_ -= segment.alive.size();
  segment = {};
  unused_.push_back(place.segment);
}

std::size_t KeySpill::segments() const { return segments_.size() - unused_.size(); }

/// Keeps holes fewer than states, and segments few: the system maps no more than some tens of thousands.
void KeySpill::tidy() {
  constexpr std::size_t kFew = 256;
  if (rows_ - alive_ <= alive_ + kMost && segments() <= kFew + 2 * alive_ / kMost) return;
  std::vector<std::uint32_t> places;
  for (std::uint32_t i = 0; i < segments_.size(); ++i)
    if (segments_[i].count > 0) places.push_back(i);
  std::sort(places.begin(), places.end(),
            [&](std::uint32_t a, std::uint32_t b) { return segments_[a].count < segments_[b].count; });
  places.resize((places.size() + 1) / 2);
  StatePacker gathered;
  std::vector<Place> from;
  const auto flush = [&] {
    if (gathered.size() == 0) return;
    add(gathered);
    for (const Place place : from) erase(place);
    from.clear();
  };
  for (const std::uint32_t place : places) {
    for (std::uint32_t row = 0; row < segments_[place].alive.size(); ++row) {
      if (segments_[place].alive[row] == 0) continue;
      gathered.add(key({place, row}), state({place, row}));
      from.push_back({place, row});
      if (gathered.size() == kMost) flush();  // the segment has no rows any more when this was its last
    }
  }
  flush();
}

void KeySpill::each(
    const std::function<void(const Archive& packed, const std::vector<std::uint8_t>& alive)>& f) const {
  for (const Segment& segment : segments_)
    if (segment.count > 0) f(segment.states->archive(), segment.alive);
}

}  // namespace stream
