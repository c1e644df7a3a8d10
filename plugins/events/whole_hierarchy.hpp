/// The hierarchy of a whole log at once: what a stream's must equal. Tensors where the stream goes node by
/// node, and no windows: nothing is evicted, and what the stream would have forgotten is left out at the end.
#pragma once

#include "events/event_hierarchy.hpp"

namespace stream::events {

struct WholeHierarchy {
  struct Event {
    std::int64_t level, step;
    std::int32_t entity;
    double start, end;
    std::int64_t nodes;
  };
  std::vector<Event> events;  ///< of level 1, then of level 2, by step and the order of its nodes
  EventGraph graph;           ///< of the last step
};

/// Entities must be there at every step.
WholeHierarchy whole_hierarchy(std::span<const Scene> scenes, const EventModel& model, std::int64_t horizon);

}  // namespace stream::events
