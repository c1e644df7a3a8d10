#include "bandits/arm_memory.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "stream/error.hpp"

namespace stream::bandits {

void ArmMemory::arrive(Arm arm) {
  if (arriving_) throw std::logic_error("an arm arrives while another is still arriving");
  arriving_ = std::move(arm);
  newest_ = kArriving;
}

std::optional<Arm>& ArmMemory::slot(Place place) {
  if (place == kArriving) return arriving_;
  if (place < 0 || static_cast<std::size_t>(place) >= places_.size())
    throw std::logic_error("place " + std::to_string(place) + " of an arm memory of " +
                           std::to_string(places_.size()));
  return places_[static_cast<std::size_t>(place)];
}

void ArmMemory::move(Place from, Place to) {
  auto &source = slot(from), &target = slot(to);
  if (!source || target) throw std::logic_error("an arm moves from an empty place or onto another arm");
  target.swap(source);
  if (newest_ == from) newest_ = to;
  if (from == kArriving) peak_ = std::max(peak_, ++held_);
}

void ArmMemory::drop(Place place) {
  auto& gone = slot(place);
  if (!gone) throw std::logic_error("an arm is dropped that is not held");
  dropped_.push_back(std::move(gone->id));
  gone.reset();
  if (newest_ == place) newest_ = kNowhere;
  if (place != kArriving) --held_;
}

bool ArmMemory::holds(Place place) const {
  return place != kNowhere && const_cast<ArmMemory*>(this)->slot(place).has_value();
}

const Arm& ArmMemory::at(Place place) const {
  if (!holds(place)) throw std::logic_error("an arm is asked for that is not held any longer");
  return *const_cast<ArmMemory*>(this)->slot(place);
}

Place ArmMemory::find(const std::string& id) const {
  if (arriving_ && arriving_->id == id) return kArriving;
  for (std::size_t i = 0; i < places_.size(); ++i)
    if (places_[i] && places_[i]->id == id) return static_cast<Place>(i);
  return kNowhere;
}

std::size_t ArmMemory::bytes() const {
  std::size_t bytes = sizeof *this;
  for (const auto& place : places_) bytes += sizeof place + (place ? place->id.capacity() : 0);
  for (const std::string& id : dropped_) bytes += id.capacity();
  return bytes + (arriving_ ? arriving_->id.capacity() : 0);
}

void ArmMemory::save(Archive& state) const {
  for (Place place = kArriving; place < static_cast<Place>(places_.size()); ++place) {
    if (!holds(place)) continue;
    Archive& arm = state.group(place == kArriving ? "arriving" : std::to_string(place));
    arm.set("id", at(place).id);
    arm.set("mean", at(place).mean);
  }
  state.set("peak", static_cast<std::uint64_t>(peak_));
  state.set("newest", static_cast<std::int64_t>(newest_));
  state.set("dropped", static_cast<std::uint64_t>(dropped_.size()));
  for (std::size_t i = 0; i < dropped_.size(); ++i) state.set("dropped_" + std::to_string(i), dropped_[i]);
}

void ArmMemory::load(const Archive& state) {
  held_ = 0;
  for (Place place = kArriving; place < static_cast<Place>(places_.size()); ++place) {
    const std::string name = place == kArriving ? "arriving" : std::to_string(place);
    slot(place).reset();
    if (!state.has(name)) continue;
    const Archive& arm = state.group(name);
    slot(place) = Arm{arm.get<std::string>("id"), arm.get<double>("mean")};
    if (place != kArriving) ++held_;
  }
  peak_ = state.get<std::uint64_t>("peak");
  const auto newest = state.get<std::int64_t>("newest");
  newest_ = static_cast<Place>(newest);
  const bool inside = newest >= kNowhere && newest < static_cast<std::int64_t>(places_.size());
  if (!inside || (newest_ != kNowhere && !holds(newest_)) || peak_ < held_ || peak_ > places_.size())
    throw bad_data("a checkpoint of an arm memory of " + std::to_string(places_.size()) +
                   " places names an arm that it does not hold (newest " + std::to_string(newest) +
                   ", peak " + std::to_string(peak_) + ")");
  dropped_.clear();
  for (std::uint64_t i = 0; i < state.get<std::uint64_t>("dropped"); ++i)
    dropped_.push_back(state.get<std::string>("dropped_" + std::to_string(i)));
}

}  // namespace stream::bandits
