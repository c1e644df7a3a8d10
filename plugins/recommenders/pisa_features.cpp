#include "recommenders/pisa_features.hpp"

#include <algorithm>
#include <unordered_map>

namespace stream::recommenders {

BaseLevels::BaseLevels(std::vector<Activation> activations) : activations_(std::move(activations)) {
  for (const Activation& a : activations_) sum_ += a.strength;
}

double BaseLevels::of(std::int32_t item) const {
  const auto at = std::lower_bound(activations_.begin(), activations_.end(), item,
                                   [](const Activation& a, std::int32_t wanted) { return a.item < wanted; });
  return at != activations_.end() && at->item == item ? at->strength / sum_ : 0.0;
}

LongTerm BaseLevels::long_term() const {
  std::vector<Activation> best(std::min(kLongTerm, activations_.size()));
  std::partial_sort_copy(activations_.begin(), activations_.end(), best.begin(), best.end(),
                         [](const Activation& a, const Activation& b) {
                           return a.strength != b.strength ? a.strength > b.strength : a.item < b.item;
                         });
  LongTerm out{std::vector<std::int32_t>(kLongTerm), std::vector<float>(kLongTerm)};
  for (std::size_t i = 0; i < best.size(); ++i) {
    out.items[i] = best[i].item;
    out.weights[i] = static_cast<float>(best[i].strength / sum_);
  }
  return out;
}

SessionFeatures features_of(std::span<const Session> sessions, std::size_t rows, const BaseLevels& levels) {
  if (sessions.size() > rows) sessions = sessions.last(rows);
  SessionFeatures out{std::vector<std::int32_t>(rows * kSlots), std::vector<float>(rows * kSlots),
                      std::vector<float>(rows * kSlots)};
  std::size_t row = rows - sessions.size();
  for (const Session& session : sessions) {
    for (std::size_t i = 0; i < session.items.size(); ++i) {
      out.items[row * kSlots + i] = session.items[i];
      out.base[row * kSlots + i] = static_cast<float>(levels.of(session.items[i]));
      out.spreading[row * kSlots + i] = session.spreading[i];
    }
    ++row;
  }
  return out;
}

std::vector<Activation> activations_of(std::span<const Session> sessions, double now) {
  // Added up in the order of the plays, as PlayHistory does: the sums are the same to the last bit.
  std::unordered_map<std::int32_t, double> sums;
  for (const Session& session : sessions) {
    const double strength = decayed(now - session.time);
    for (const std::int32_t item : session.items) sums[item] += strength;
  }
  std::vector<Activation> out;
  out.reserve(sums.size());
  for (const auto& [item, strength] : sums) out.push_back({item, strength});
  std::sort(out.begin(), out.end(), [](const Activation& a, const Activation& b) { return a.item < b.item; });
  return out;
}

}  // namespace stream::recommenders
