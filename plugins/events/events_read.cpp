#include "events/events_read.hpp"

#include "stream/log.hpp"

namespace stream::events {

Spec EventsRead::spec() {
  return with_log_params(
             Spec("events.read", "Read a log of events in order, and say what is wrong with which line.")
                 .output<Record>(
                     "out",
                     "{\"line\", \"key\", \"item\", \"time\": seconds, and whatever else the line has}, "
                     "stamped with the event's time and keyed by its key")
                 .output<Record>("faults", "{\"line\", \"fault\", \"detail\"} of each line that was refused")
                 .path("path", "-", "log to read; - is stdin"),
             "plain")
      .contract({.order = Order::kStateful})
      .about(
          "Lines are JSON objects, CSV or TSV; or the log is one document, which is read as it comes: a JSON "
          "array of objects (dialect \"statsbomb\": a match's event file, whose clock begins anew in each "
          "period; acts without a place or a player are passed over) or XES (dialect \"xes\": events keyed "
          "by "
          "their case, with its attributes as \"case:KEY\"; an XES log goes case by case, so the tolerance "
          "must "
          "span the whole of it, and `held` its events). Dialect \"moma\" reads the annotations of MOMA-LRG: "
          "a scene for each higher-order interaction, keyed by its activity, with what is around it as "
          "\"activity.class_name\", \"activity.sub_activities.class_name\"; each activity's clock begins a "
          "day "
          "after that of the one before. Dialect \"moma-1.0\" reads those of MOMA 1.0, keyed by the trimmed "
          "video, whose clocks overlap, as cases do. A document that breaks off or cannot be read on "
          "ends "
          "the run with exit code 65, after what came before.\n\n"
          "Times are numbers, ISO 8601 or a clock's, not negative; ids are strings "
          "or "
          "integers, of one kind throughout, which the first decides. Refused, counted and named with their "
          "line "
          "are: \"not-json\", \"columns\" (more or fewer fields than there are columns), \"missing\" and "
          "\"extra\" "
          "members, \"type\", \"time\" (unreadable), \"negative-time\", \"id-kind\" (a number where there "
          "were "
          "strings, or the reverse), \"late\" (beyond the tolerance), \"clock-jump\" (a step forward beyond "
          "`jump` "
          "that no second event confirms) and \"duplicate\" (same key, item and time while the first is "
          "remembered: for the tolerance, `held` events at the most). With faults = \"stop\" the first ends "
          "the "
          "run with exit code 65.\n\n"
          "Events are held back for the tolerance and then passed on in order of time, `held` of them at the "
          "most.")
      .example("A log of three columns", R"([nodes.log]
use       = "events.read"
path      = "-"
tolerance = "10s"

[nodes.out]
use  = "jsonl.write"
from = "log.out"
)")
      .example("A process-mining log", R"([nodes.log]
use       = "events.read"
path      = "examples/cases.xes"
dialect   = "xes"
tolerance = "8760h"

[nodes.out]
use  = "jsonl.write"
from = "log.out"
)");
}

EventsRead::EventsRead(const Params& p)
    : node_(p.context().node), log_(p.input_path("path"), log_options(p)) {}

Object record_of(const Event& event) {
  Object record{{"line", event.line},
                {"key", event.key},
                {"item", event.item},
                {"time", static_cast<double>(event.time.count()) / 1e9}};
  for (const auto& [name, value] : event.members)
    if (!record.find(name)) record.set(name, value);
  return record;
}

bool EventsRead::read(Output& out) {
  std::vector<Event> events;
  std::vector<RefusedLine> refused;
  const bool more = log_.next(events, refused);
  for (const Event& event : events) {
    Packet packet = Packet::of<Record>(event.time, record_of(event));
    packet.key = Key(event.key);
    said_ = event.time;
    out.emit(0, std::move(packet));
  }
  // A refused line has no place in time but that of what was passed on before it was seen.
  for (const RefusedLine& line : refused)
    out.emit(1,
             Packet::of<Record>(said_ == kTimeMin ? Time{0} : said_,
                                Object{{"line", line.line}, {"fault", line.fault}, {"detail", line.detail}}));
  if (!more && !summed_up_) {
    summed_up_ = true;
    if (const std::string summary = log_.summary(); !summary.empty())
      log_warning(node_, log_.name() + ": refused: " + summary);
  }
  return more;
}

void EventsRead::save(Archive& state) const {
  log_.save(state.group("log"));
  state.set("said", said_);
}

void EventsRead::load(const Archive& state) {
  log_.load(state.group("log"));
  said_ = state.get<Duration>("said");
}

std::string EventsRead::progress() const {
  const std::string summary = log_.summary();
  return std::to_string(log_.events()) + " events" + (summary.empty() ? "" : ", refused " + summary);
}

}  // namespace stream::events
