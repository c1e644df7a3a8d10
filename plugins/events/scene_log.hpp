/// Logs of scenes and of their labels, as games to learn from.
#pragma once

#include "events/event_log.hpp"
#include "events/game.hpp"
#include "events/timegraphs_model.hpp"

namespace stream::events {

struct SceneLog {
  SceneVocabulary vocabulary;
  Games games;  ///< one for each key, in the order of the keys
  std::vector<std::string> keys;
  Asked asked;
  std::string faults;  ///< "2 unknown-id (the first at line 7)", or empty
};

/// Scenes {"game", "t", "nodes", "edges"} in order of time, and labels {"game", "t", "labels"} of some of
/// their steps: ["name", ...] of what holds of the whole, {"id": ["name", ...]} of what holds of each node,
/// or "name", the one of all classes that it is. `types`: of the nodes that labels are about; empty: all. A
/// line that is wrong is counted and passed over. Throws Error(kBadData) when nothing is left.
SceneLog read_scene_log(const std::string& scenes, const EventLog::Options& options,
                        const std::string& labels, std::vector<std::string> types);

}  // namespace stream::events
