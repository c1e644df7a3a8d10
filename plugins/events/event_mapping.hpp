/// Which member of a log's lines is which: mapping files and published formats.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/event_gate.hpp"

namespace stream::events {

/// Where a line has what. Names may be paths: "track_metadata.recording_mbid".
struct EventMapping {
  std::string format = "jsonl";                          ///< or "csv", "tsv"; one document: "json", "xes"
  std::string key = "user", item = "item", time = "ts";  ///< key or item may be empty: the log has none
  double unit = 1;                                       ///< seconds in one of the log's units of time
  std::vector<std::string> columns;                      ///< of csv and tsv; empty: the first line has them
  std::vector<std::string> required;                     ///< further members that must be there
  std::vector<std::string> having;                       ///< events without these members are passed over
  /// The number, from 1, of the part of a game whose clock the time is; ".": of the record in the log, each
  /// of which has a clock of its own; empty: none.
  std::string part;
  std::string each;  ///< path to the lists within a record that hold the events; empty: the record is one
  double part_seconds = 3600;  ///< from the start of a part to that of the next
  bool strict = false;         ///< members that are none of these are a fault
  std::string least_member;    ///< with `least`: events with less of it are passed over
  double least = 0;

  /// "lfm-1b": user_id, art_id, track_id, ts, session_id, separated by tabs, without a header;
  /// "listenbrainz": JSON lines with user_name, listened_at and track_metadata; "spotify": "endsong" objects,
  /// one on each line (jq -c '.[]'), of which less than 30 s were played are passed over; "movielens": CSV
  /// with userId, movieId, rating, timestamp, of which ratings below 4 are passed over; "events": {"seq",
  /// "t", "type"}; "tickets": {"cust", "film", "ts"}; "films": {"film", "release", "plot"}; "playlists":
  /// {"user", "playlist", "ts", "event"}; "scenes": {"game", "t", "nodes", "edges"}; "labels": {"game", "t",
  /// "labels"}; "plain": {"user", "item", "ts"}; "xes": process-mining logs (IEEE 1849), keyed by their case,
  /// with the activity as item; "statsbomb": a match's event file (a JSON array), of which acts without a
  /// place or a player are passed over; "moma": the annotations of MOMA-LRG (anns.json), a scene for each
  /// higher-order interaction, one video after the other; "moma-1.0": those of MOMA 1.0 (graph_anns.json),
  /// keyed by the trimmed video. Throws Error(kBadRecipe) for another name.
  static EventMapping of_dialect(const std::string& name);
  static const std::vector<std::string>& dialects();
  /// A JSON object in a file, whose members are named as those of this struct and replace them. Throws
  /// Error(kNoInput), Error(kBadData) that names the file and the member.
  static EventMapping read(const std::string& path, EventMapping base);
};

/// Seconds of a number (in `unit`) or of an ISO 8601 text ("2024-03-01T10:00:00Z", with a space for T,
/// fractions, and +hh:mm); without a zone it is UTC; or of a clock ("00:12:31.250"). Throws EventFault
/// "time".
Time time_of(const Value& value, double unit);

/// The value at a path of members ("location.0": the first of a list); null when it is not there.
const Value* find_path(const Object& object, std::string_view path);

/// Turns members of a line into an event. Ids are strings or integers, and of one kind throughout: which, the
/// first decides.
class EventMapper {
 public:
  explicit EventMapper(EventMapping mapping) : mapping_(std::move(mapping)) {}
  /// None for what the mapping passes over. `record`: its number in the log, from 1. Throws EventFault
  /// ("missing", "type", "time", "negative-time", "id-kind", "extra") and changes nothing then.
  std::optional<Event> event(const Object& members, std::int64_t line, std::int64_t record);
  const EventMapping& mapping() const { return mapping_; }
  void save(Archive& group) const;
  void load(const Archive& group);

 private:
  enum class Kind : std::uint8_t { kUnknown, kNumber, kText };
  Duration part_of(const Object& members, Time time, std::int64_t record) const;
  std::string id(const Object& members, const std::string& path, Kind known, Kind& found) const;
  EventMapping mapping_;
  Kind key_kind_ = Kind::kUnknown, item_kind_ = Kind::kUnknown;
};

}  // namespace stream::events
