#include "recommenders/actr_memory.hpp"

#include <algorithm>
#include <cmath>

#include "stream/error.hpp"

namespace stream::recommenders {

const PlayHistory::Item* PlayHistory::find(std::int32_t item) const {
  const auto at = std::lower_bound(items_.begin(), items_.end(), item, before);
  return at != items_.end() && at->item == item ? &*at : nullptr;
}

void PlayHistory::play(std::int32_t item, double time) {
  auto at = std::lower_bound(items_.begin(), items_.end(), item, before);
  if (at == items_.end() || at->item != item) {
    if (options_.items > 0 && items_.size() == options_.items) {
      const auto oldest = std::min_element(items_.begin(), items_.end(), [](const Item& a, const Item& b) {
        return a.times.back() < b.times.back();
      });
      items_.erase(oldest);
      return play(item, time);
    }
    at = items_.insert(at, Item{item, 0, time, {}});
  }
  ++at->plays;
  at->times.push_back(time);
  if (options_.times > 0 && at->times.size() > options_.times) at->times.erase(at->times.begin());
}

double PlayHistory::strength(const Item& item, double now) const {
  double sum = 0;
  for (const double time : item.times) sum += decayed(now - time);
  const auto kept = static_cast<double>(item.times.size());
  if (const double older = item.plays - kept; older > 0) {
    const double first = std::max(now - item.first, kLeastAge),
                 last = std::max(now - item.times.front(), kLeastAge);
    sum += first > last ? older * (std::sqrt(first) - std::sqrt(last)) / (kDecay * (first - last))
                        : older * decayed(first);
  }
  return sum;
}

std::vector<Activation> PlayHistory::activations(double now) const {
  std::vector<Activation> out;
  out.reserve(items_.size());
  for (const Item& item : items_) out.push_back({item.item, strength(item, now)});
  return out;
}

std::vector<Activation> PlayHistory::activations_with(std::span<const std::int32_t> items, double time,
                                                      double now) const {
  if (options_.items > 0 && items_.size() + items.size() > options_.items) {  // some may be forgotten
    PlayHistory with = *this;
    for (const std::int32_t item : items) with.play(item, time);
    return with.activations(now);
  }
  PlayHistory played(options_);  // those items alone, with all their plays
  for (const std::int32_t item : items) {
    const Item* known = find(item);
    if (known && !played.knows(item))
      played.items_.insert(std::lower_bound(played.items_.begin(), played.items_.end(), item, before),
                           *known);
    played.play(item, time);
  }
  std::vector<Activation> out;
  out.reserve(items_.size() + items.size());
  auto next = played.items_.begin();
  for (const Item& item : items_) {
    for (; next != played.items_.end() && next->item < item.item; ++next)
      out.push_back({next->item, strength(*next, now)});
    const bool anew = next != played.items_.end() && next->item == item.item;
    out.push_back({item.item, strength(anew ? *next++ : item, now)});
  }
  for (; next != played.items_.end(); ++next) out.push_back({next->item, strength(*next, now)});
  return out;
}

void PlayHistory::save(Archive& group) const {
  std::vector<std::int32_t> items, plays, kept;
  std::vector<double> first, times;
  for (const Item& item : items_) {
    items.push_back(item.item), plays.push_back(item.plays), first.push_back(item.first);
    kept.push_back(static_cast<std::int32_t>(item.times.size()));
    times.insert(times.end(), item.times.begin(), item.times.end());
  }
  group.set("items", items);
  group.set("plays", plays);
  group.set("first", first);
  group.set("kept", kept);
  group.set("times", times);
}

void PlayHistory::load(const Archive& group) {
  const auto items = group.get<std::vector<std::int32_t>>("items"),
             plays = group.get<std::vector<std::int32_t>>("plays"),
             kept = group.get<std::vector<std::int32_t>>("kept");
  const auto first = group.get<std::vector<double>>("first"), times = group.get<std::vector<double>>("times");
  if (plays.size() != items.size() || kept.size() != items.size() || first.size() != items.size())
    throw bad_data("the checkpoint's plays do not belong together");
  items_.clear();
  std::size_t at = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto count = static_cast<std::size_t>(kept[i]);
    if (kept[i] < 1 || count > times.size() - at)
      throw bad_data("the checkpoint's plays do not belong together");
    const auto begin = times.begin() + static_cast<std::ptrdiff_t>(at);
    items_.push_back({items[i], plays[i], first[i], {begin, begin + static_cast<std::ptrdiff_t>(count)}});
    at += count;
  }
}

std::size_t PlayHistory::bytes() const {
  std::size_t sum = heap_bytes(items_);
  for (const Item& item : items_) sum += heap_bytes(item.times);
  return sum;
}

}  // namespace stream::recommenders
