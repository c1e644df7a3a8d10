#include "events/event_log.hpp"

#include <charconv>

#include "csv_line.hpp"
#include "events/nested_records.hpp"
#include "stream/error.hpp"

namespace stream::events {

EventLog::EventLog(std::string path, const Options& options)
    : lines_(std::move(path), {}),
      mapper_(options.mapping),
      gate_(options.gate),
      stop_(options.stop),
      columns_(options.mapping.columns),
      document_(LogDocument::of_format(options.mapping.format)) {}

Object EventLog::members_of(std::string_view line) {
  if (mapper_.mapping().format == "jsonl") {
    if (const auto fault = Value::fault(line))
      throw EventFault("not-json",
                       "column " + std::to_string(fault->first + 1) + ": not JSON: " + fault->second);
    Value value = Value::parse(line);
    if (!value.is_object())
      throw EventFault("not-json", std::string("expected a JSON object, found ") + value.kind());
    return std::move(value.object());
  }
  std::vector<CsvField> fields;
  try {
    fields = split_csv(line, mapper_.mapping().format == "tsv" ? '\t' : ',');
  } catch (const Error& e) {
    throw EventFault("columns", e.what());
  }
  if (fields.size() != columns_.size())
    throw EventFault("columns", "the line has " + std::to_string(fields.size()) + " fields, expected " +
                                    std::to_string(columns_.size()));
  Object members;
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (fields[i].quoted || !fields[i].text.empty()) {
      // Ids of a table have no kind: 7 and 007 are two names.
      const bool id = columns_[i] == mapper_.mapping().key || columns_[i] == mapper_.mapping().item;
      members.set(columns_[i], id ? Value(fields[i].text) : csv_value(fields[i]));
    }
  return members;
}

bool EventLog::refuse(const EventFault& fault, std::int64_t line, std::vector<RefusedLine>& refused) {
  if (stop_) {  // what came before it is delivered first
    const auto index = line - 1 - static_cast<std::int64_t>(batch_.first_line);
    const bool here = index >= 0 && index < static_cast<std::int64_t>(batch_.lines.size());
    failure_ = Error(fault).within((here ? batch_.where(lines_.name(), static_cast<std::size_t>(index))
                                         : lines_.name() + ": line " + std::to_string(line)) +
                                   ": " + fault.name());
    return false;
  }
  ++faults_[fault.name()];
  if (first_fault_ == 0) first_fault_ = line;
  refused.push_back({line, fault.name(), fault.what()});
  return true;
}

bool EventLog::take(const Object& members, std::int64_t line, std::vector<Event>& events,
                    std::vector<RefusedLine>& refused) {
  try {
    std::optional<Event> event = mapper_.event(members, line, records_);
    if (!event) return ++passed_over_, true;
    gate_.take(std::move(*event));
    ++events_;
    gate_.release(events);
  } catch (const EventFault& fault) {
    return refuse(fault, line, refused);
  }
  return true;
}

bool EventLog::take_record(const Object& members, std::int64_t line, std::vector<Event>& events,
                           std::vector<RefusedLine>& refused) {
  if (mapper_.mapping().each.empty()) return take(members, line, events, refused);
  for (const NestedRecord& one : nested_records(members, mapper_.mapping().each))
    if (!(one.fault ? refuse(*one.fault, line, refused) : take(one.members, line, events, refused)))
      return false;
  return true;
}

/// A line of a document: the events that it completes, and then what it cannot be read for.
bool EventLog::take_piece(std::string_view text, std::int64_t line, std::vector<Event>& events,
                          std::vector<RefusedLine>& refused) {
  std::vector<LogDocument::Found> found;
  std::optional<Error> broken;
  try {
    document_->take(text, line, found);
  } catch (const Error& e) {
    broken = e.within(lines_.name());
  }
  for (const auto& one : found) {
    ++records_;
    if (!(one.fault.empty() ? take_record(one.members, one.line, events, refused)
                            : refuse(EventFault(one.fault, one.detail), one.line, refused)))
      return false;
  }
  if (broken) gate_.flush(events), failure_ = std::move(broken);
  return !failure_;
}

bool EventLog::next(std::vector<Event>& events, std::vector<RefusedLine>& refused) {
  events.clear(), refused.clear();
  if (failure_) throw *failure_;
  if (ended_) return false;
  if (!lines_.next(batch_)) {
    ended_ = true;
    gate_.flush(events);
    try {
      if (document_) document_->finish();
    } catch (const Error& e) {
      failure_ = e.within(lines_.name());
      return true;
    }
    return !events.empty();
  }
  for (std::size_t i = 0; i < batch_.lines.size(); ++i) {
    const std::string_view text = batch_.text(batch_.lines[i]);
    const auto line = static_cast<std::int64_t>(batch_.first_line + i) + 1;
    if (document_) {
      if (!take_piece(text, line, events, refused)) return true;
      continue;
    }
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Object members;
    ++records_;
    try {
      if (columns_.empty() && mapper_.mapping().format != "jsonl") {
        for (const CsvField& field : split_csv(text, mapper_.mapping().format == "tsv" ? '\t' : ','))
          columns_.push_back(field.text);
        continue;
      }
      members = members_of(text);
    } catch (const EventFault& fault) {
      if (!refuse(fault, line, refused)) return true;
      continue;
    }
    if (!take_record(members, line, events, refused)) return true;
  }
  return true;
}

std::string EventLog::summary() const {
  std::string text;
  for (const auto& [name, count] : faults_)
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + name;
  return text.empty() ? text : text + " (the first at line " + std::to_string(first_fault_) + ")";
}

void EventLog::save(Archive& state) const {
  state.set("offset", lines_.offset());
  state.set("line", lines_.line());
  state.set("ended", ended_);
  mapper_.save(state.group("mapper"));
  gate_.save(state.group("gate"));
  if (document_) document_->save(state.group("document"));
  state.set("columns", static_cast<std::uint64_t>(columns_.size()));
  for (std::size_t i = 0; i < columns_.size(); ++i) state.set("column_" + std::to_string(i), columns_[i]);
  for (const auto& [name, count] : faults_) state.group("faults").set(name, count);
  state.set("first_fault", first_fault_);
  state.set("passed_over", passed_over_);
  state.set("events", events_);
  state.set("records", records_);
}

void EventLog::load(const Archive& state) {
  lines_.resume(state.get<std::uint64_t>("offset"), state.get<std::uint64_t>("line"));
  ended_ = state.get<bool>("ended");
  mapper_.load(state.group("mapper"));
  gate_.load(state.group("gate"));
  if (document_) document_->load(state.group("document"));
  columns_.clear();
  for (std::uint64_t i = 0; i < state.get<std::uint64_t>("columns"); ++i)
    columns_.push_back(state.get<std::string>("column_" + std::to_string(i)));
  faults_.clear();
  if (state.has("faults"))
    for (const auto& entry : state.group("faults").entries())
      faults_[entry.first] = state.group("faults").get<std::int64_t>(entry.first);
  first_fault_ = state.get<std::int64_t>("first_fault");
  passed_over_ = state.get<std::int64_t>("passed_over");
  events_ = state.get<std::int64_t>("events");
  records_ = state.has("records") ? state.get<std::int64_t>("records") : 0;
}

Spec with_log_params(Spec spec, const char* dialect) {
  return std::move(spec)
      .param("dialect", dialect, "which members are which: a published format",
             Choices{EventMapping::dialects()})
      .param(
          "mapping", std::string(),
          "JSON file that says which members are which, where the dialect is another: {\"format\": \"csv\", "
          "\"key\", \"item\", \"time\", \"unit\", \"columns\", \"required\", \"having\", \"strict\", "
          "\"least_member\", \"least\", \"part\", \"part_seconds\", \"each\"}; empty: none")
      .param("tolerance", Duration(0),
             "how much later than a newer event one may come and still be put in order")
      .param("held", std::int64_t{65536}, "events held back for that, at the most", range(1, 1e8))
      .param("jump", Duration(std::chrono::hours(24 * 400)),
             "a greater step forward in time is refused, until a second event confirms it; 0: never")
      .param("faults", "skip", "a line that is wrong: is counted and passed over, or ends the run",
             choices({"skip", "stop"}));
}

EventLog::Options log_options(const Params& p) {
  EventLog::Options options{
      EventMapping::of_dialect(p.get<std::string>("dialect")), {}, p.get<std::string>("faults") == "stop"};
  if (!p.get<std::string>("mapping").empty())
    options.mapping = EventMapping::read(p.input_path("mapping"), options.mapping);
  options.gate.tolerance = p.get<Duration>("tolerance");
  options.gate.jump = p.get<Duration>("jump");
  options.gate.held = static_cast<std::size_t>(p.get<std::int64_t>("held"));
  if (options.gate.tolerance < Duration::zero() || options.gate.jump < Duration::zero())
    throw bad_recipe("tolerance and jump must not be negative");
  return options;
}

std::vector<Event> read_log(const std::string& path, const EventLog::Options& options, std::string* faults) {
  EventLog log(path, options);
  std::vector<Event> all, piece;
  std::vector<RefusedLine> refused;
  while (log.next(piece, refused))
    all.insert(all.end(), std::make_move_iterator(piece.begin()), std::make_move_iterator(piece.end()));
  if (faults) *faults = log.summary();
  return all;
}

}  // namespace stream::events
