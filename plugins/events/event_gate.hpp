/// What may pass of a log of events, and in which order: the rules that every learner on events relies on.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "stream/archive.hpp"
#include "stream/value.hpp"

namespace stream::events {

/// One event: who or which sequence, what, and when.
struct Event {
  Time time{0};           ///< since 1970 or whatever the log counts from; not negative
  std::string key;        ///< user, sequence, machine ...
  std::string item;       ///< track, product, type of event ...; empty where a log has none
  std::int64_t line = 0;  ///< of the log, from 1
  Object members;         ///< whatever else the line says
};

/// Why an event was refused. Thrown with a sentence; `name` is what it is counted under.
class EventFault : public Error {
 public:
  EventFault(std::string name, const std::string& message)
      : Error(ExitCode::kBadData, message), name_(std::move(name)) {}
  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

class EventGate {
 public:
  struct Options {
    Duration tolerance{0};  ///< how much later than a newer event one may come and still be put in order
    Duration jump{std::chrono::hours(
        24 * 400)};            ///< a greater step forward is a fault, until a second event confirms it
    std::size_t held = 65536;  ///< most events held back, and most remembered to tell duplicates
  };
  explicit EventGate(Options options) : options_(options) {}

  /// Takes an event in, or throws EventFault ("late", "clock-jump", "duplicate") and stays as it was but for
  /// what a confirmed jump needs. Two events of the same key, item and time are duplicates while the first is
  /// remembered: within the tolerance, and at the newest time.
  void take(Event event);
  /// Moves what can no longer be preceded by another to the end of `out`, in order of time, then of line.
  void release(std::vector<Event>& out);
  /// The same for all that is held: the log has ended.
  void flush(std::vector<Event>& out);
  /// No event before this will be released.
  Time reached() const { return reached_; }
  std::size_t held() const { return held_.size(); }
  void save(Archive& group) const;
  void load(const Archive& group);
  std::size_t bytes() const;

 private:
  void remember(Time time, std::uint64_t hash);
  Options options_;
  Time newest_ = kTimeMin, reached_ = kTimeMin;
  Time candidate_ = kTimeMin;                            ///< where a jump went that nothing has confirmed
  std::map<std::pair<Time, std::int64_t>, Event> held_;  ///< by time and line
  std::deque<std::pair<Time, std::uint64_t>> remembered_;
  std::unordered_set<std::uint64_t> known_;
};

}  // namespace stream::events
