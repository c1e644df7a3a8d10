/// What PISA is shown of a user at a time: sessions, activations, and what was loved longest.
#pragma once

#include <span>
#include <vector>

#include "recommenders/actr_memory.hpp"
#include "recommenders/session_log.hpp"

namespace stream::recommenders {

/// Items of the long-term vector.
inline constexpr std::size_t kLongTerm = 20;

/// Sessions as the network sees them: `rows` of kSlots slots each, the newest last, padded in front and
/// behind.
struct SessionFeatures {
  std::vector<std::int32_t> items;  ///< [rows, kSlots], 0: padding
  std::vector<float> base;  ///< softmax of the base level over all that the user has heard; 0: never heard
  std::vector<float> spreading;  ///< of each item by the others of its session
};

struct LongTerm {
  std::vector<std::int32_t> items;  ///< [kLongTerm], the most active first, 0: padding
  std::vector<float> weights;       ///< their softmax of the base level
};

/// softmax(ln S) = S / sum S over what a user has heard.
class BaseLevels {
 public:
  explicit BaseLevels(std::vector<Activation> activations);
  /// 0 for what was never heard.
  double of(std::int32_t item) const;
  /// By falling activation, then by item.
  LongTerm long_term() const;
  const std::vector<Activation>& activations() const { return activations_; }

 private:
  std::vector<Activation> activations_;  ///< by item
  double sum_ = 0;
};

/// `sessions` are the newest `rows`, or fewer when the user has no more.
SessionFeatures features_of(std::span<const Session> sessions, std::size_t rows, const BaseLevels& levels);

/// The exact activations at `now` of what was heard in these sessions, all of them before `now`.
std::vector<Activation> activations_of(std::span<const Session> sessions, double now);

}  // namespace stream::recommenders
