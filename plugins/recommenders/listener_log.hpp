/// Logs of playlists and tables of attributes, as a table of listeners.
#pragma once

#include "events/event_log.hpp"
#include "recommenders/listener_table.hpp"

namespace stream::recommenders {

/// What is known of whom: JSON lines {"user", "gender", "age", ...}, or CSV whose first line names the
/// columns.
struct AttributeFile {
  std::vector<std::string> attributes;                     ///< in the order in which they were first seen
  std::map<std::string, std::map<std::string, Value>> of;  ///< by listener
};
/// Lines that are wrong are passed over and counted: "not-json", "columns", "missing" (no user), "id-kind",
/// "duplicate" listener. Throws Error(kNoInput).
AttributeFile read_attributes(const std::string& path, std::string* faults = nullptr);

/// Replays the log and takes every playlist as its last event left it. Faults of playlists are counted beside
/// those of lines. Listeners without a line in the attributes are left out.
ListenerTable read_listeners(const std::string& log, const events::EventLog::Options& options,
                             const AttributeFile& attributes, std::string* faults = nullptr);

/// Spec parameters for both files, and the table they make; what was refused is warned of.
Spec with_listener_params(Spec spec);
std::shared_ptr<const ListenerTable> listeners_of(const Params& params);

}  // namespace stream::recommenders
