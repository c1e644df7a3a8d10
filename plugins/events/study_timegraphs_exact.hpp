/// The part of events.timegraphs_study that asks what must be exact, and what must not matter.
#pragma once

#include "events/event_hierarchy.hpp"
#include "events/game.hpp"
#include "stream/study.hpp"

namespace stream::events {

class TimeGraphsExactPart final : public OneStepPart {
 public:
  /// `quick`: what depends on how well the event model has learnt is not judged.
  TimeGraphsExactPart(std::uint64_t seed, bool quick) : seed_(seed), quick_(quick) {}

 private:
  void measure() override;
  std::shared_ptr<const EventModel> learnt(std::int64_t delay) const;
  void stream_and_log();
  void names_and_order();
  void other_futures();
  void doubled_quiet_steps();
  void acts_replaced();
  void work_of_a_step();
  std::uint64_t seed_;
  bool quick_;
  mutable std::map<std::int64_t, std::shared_ptr<const EventModel>> models_;  ///< by delay
};

}  // namespace stream::events
