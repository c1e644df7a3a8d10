/// Logs that are one document: events as StatsBomb, XES and both editions of MOMA lay them out, and the
/// scenes that come of them.
#include <stdexcept>

#include "events/events_read.hpp"
#include "events/events_scenes.hpp"
#include "stream/testing.hpp"
#include "target.hpp"

namespace stream::fuzz {
namespace {

constexpr const char* kInteractions = R"({"nodes": [
  {"list": "actors", "id": "id", "type": "class_name", "features": ["bbox.0", "bbox.1"]},
  {"list": "objects", "id": "id", "type": "class_name", "features": ["bbox.0", "bbox.1"]}],
 "edges": [{"list": "relationships", "src": "source_id", "dst": "target_id", "relation": "class_name"},
           {"list": "attributes", "src": "source_id", "dst": "source_id", "relation": "class_name"}],
 "near": [{"name": "near", "count": 1}]})";
constexpr const char* kFrames = R"({"nodes": [
  {"list": "annotation.actors", "id": "id_in_video", "type": "class", "features": ["bbox.topLeft.x"]},
  {"list": "annotation.objects", "id": "id_in_video", "type": "class", "features": ["bbox.topLeft.x"]}],
 "edges": [{"list": "annotation.relationships", "groups": "description", "relation": "class"},
           {"list": "annotation.atomic_actions", "groups": "actor_id", "relation": "class"}]})";

Bytes bytes_of(const char* text) {
  return {reinterpret_cast<const std::uint8_t*>(text), std::char_traits<char>::length(text)};
}

/// Reads the log to its end. What could be read becomes scenes, or faults, one for one.
void read_all(Bytes bytes, const char* dialect, const char* mapping) {
  const MemoryFile file(bytes);
  testing::Collector events(2);
  const auto op = testing::make<events::EventsRead>({{"path", file.path()}, {"dialect", dialect}});
  try {
    auto& source = dynamic_cast<Source&>(*op);
    while (source.read(events)) {
    }
  } catch (const Error& e) {
    if (e.code() != ExitCode::kBadData) throw;
  }
  if (!mapping) return;
  const MemoryFile how(bytes_of(mapping));
  const auto scenes = testing::make<events::ScenesOperator>({{"mapping", how.path()}});
  const auto made = testing::run(*scenes, events.packets[0], 2);
  if (made.packets[0].size() + made.packets[1].size() != events.packets[0].size())
    throw std::logic_error("a scene is neither there nor refused");
}

}  // namespace

void run_eventlog(Bytes bytes) {
  read_all(bytes, "statsbomb", nullptr);
  read_all(bytes, "xes", nullptr);
  read_all(bytes, "moma", kInteractions);
  read_all(bytes, "moma-1.0", kFrames);
}

}  // namespace stream::fuzz
