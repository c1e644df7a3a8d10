/// Events that lie in lists within a record: frames within the activities of a video.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "events/event_gate.hpp"
#include "stream/value.hpp"

namespace stream::events {

struct NestedRecord {
  /// The entry's own members; then those of the records around it that are no list and no object, by their
  /// paths from the outermost one: "file_name", "activity.class_name". An entry's own member hides one of the
  /// same name around it.
  Object members;
  std::optional<EventFault> fault;  ///< in place of the entry
};

/// The entries at a path of members whose lists are gone through, all of them:
/// "activity.sub_activities.frames". What is around them is repeated with each, 64 MiB in all at the most
/// ("too-many").
std::vector<NestedRecord> nested_records(const Object& record, const std::string& path);

}  // namespace stream::events
