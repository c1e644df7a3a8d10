/// A log of events, line by line: what is wrong with a line is counted and named, and harms no other.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "events/event_gate.hpp"
#include "events/event_mapping.hpp"
#include "events/log_document.hpp"
#include "line_reader.hpp"
#include "stream/params.hpp"

namespace stream::events {

/// A line that was refused.
struct RefusedLine {
  std::int64_t line;  ///< from 1
  std::string fault;  ///< "late", "duplicate", ...: what it is counted under
  std::string detail;
};

class EventLog {
 public:
  struct Options {
    EventMapping mapping;
    EventGate::Options gate;
    bool stop = false;  ///< a fault ends the run instead of being counted
  };
  EventLog(std::string path, const Options& options);

  /// What the next piece of the log has made certain, and which of its lines were refused. False when the log
  /// has ended and nothing is left. With `stop`, throws Error(kBadData) that names file, line and fault.
  bool next(std::vector<Event>& events, std::vector<RefusedLine>& refused);

  void interrupt() { lines_.interrupt(); }
  double fraction() const { return lines_.fraction(); }
  Time reached() const { return gate_.reached(); }
  /// Lines refused so far, by fault; and events that the mapping passed over.
  const std::map<std::string, std::int64_t>& faults() const { return faults_; }
  std::int64_t passed_over() const { return passed_over_; }
  std::int64_t events() const { return events_; }
  /// "3 late, 1 duplicate (the first at line 12)", or empty when there were none.
  std::string summary() const;
  const std::string& name() const { return lines_.name(); }
  void save(Archive& state) const;
  void load(const Archive& state);
  std::size_t bytes() const { return gate_.bytes() + (document_ ? document_->bytes() : 0); }

 private:
  Object members_of(std::string_view line);
  /// Takes a record in, and the events that it holds. False when it is a fault that ends the run.
  bool take_record(const Object& members, std::int64_t line, std::vector<Event>& events,
                   std::vector<RefusedLine>& refused);
  bool take(const Object& members, std::int64_t line, std::vector<Event>& events,
            std::vector<RefusedLine>& refused);
  bool refuse(const EventFault& fault, std::int64_t line, std::vector<RefusedLine>& refused);
  bool take_piece(std::string_view text, std::int64_t line, std::vector<Event>& events,
                  std::vector<RefusedLine>& refused);
  LineReader lines_;
  LineReader::Batch batch_;
  EventMapper mapper_;
  EventGate gate_;
  bool stop_, ended_ = false;
  std::vector<std::string> columns_;
  std::unique_ptr<LogDocument> document_;  ///< null where a line is a record
  std::optional<Error> failure_;           ///< thrown once what came before it has been delivered
  std::map<std::string, std::int64_t> faults_;
  std::int64_t first_fault_ = 0, passed_over_ = 0, events_ = 0, records_ = 0;
};

/// The parameters of whatever reads a log of events, and the options that they make.
Spec with_log_params(Spec spec, const char* dialect);
EventLog::Options log_options(const Params& params);

/// All of a log that fits into memory: for training. `faults`, when given, says what was refused.
std::vector<Event> read_log(const std::string& path, const EventLog::Options& options,
                            std::string* faults = nullptr);

}  // namespace stream::events
