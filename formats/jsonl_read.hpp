/// jsonl.read: records from lines of JSON.
#pragma once

#include <cmath>

#include "json_lines.hpp"
#include "line_reader.hpp"
#include "line_records.hpp"
#include "stream/log.hpp"
#include "stream/plugin.hpp"
#include "utf8.hpp"

namespace stream {

class JsonlRead final : public Source {
 public:
  static Spec spec() {
    return Spec{"jsonl.read", "Read JSON Lines from a file or stdin: one object for each line."}
        .output<Record>("out")
        .path("path", "-", "file to read; - is stdin")
        .param("time", std::string(),
               "member that holds the event time, in seconds; empty: the line's index, in nanoseconds")
        .param("key", std::string(),
               "member (a string or integer) that names the stream that a record belongs to; empty: none")
        .param("faults", "stop", "a line that cannot be: ends the run, or is counted and passed over",
               choices({"stop", "skip"}))
        .param("max_line", std::int64_t{16} << 20, "longest line allowed", range(1, 1 << 30), unit("bytes"))
        .about(
            "Every line must be one JSON object in valid UTF-8; blank lines are passed over. The first line "
            "that is not "
            "ends the run with exit code 65 and a message that names line and column, after all records "
            "before it were "
            "delivered; with faults = \"skip\" it is passed over with a warning. With `time`, a record "
            "without that member, or earlier than the one before, is an "
            "error too; a record "
            "without the `key` member belongs to the stream with the empty key. A record is passed on as "
            "soon as its "
            "line is complete, so that a live pipe is never held up. A checkpoint records the offset of the "
            "next line: "
            "resuming seeks to it in a file, and on a pipe reads and drops the same number of bytes.")
        .contract({.order = Order::kStateful})
        .example("Copy JSON Lines, checking each",
                 "[nodes.events]\nuse  = \"jsonl.read\"\npath = \"-\"\ntime = \"t\"\n\n"
                 "[nodes.out]\nuse  = \"jsonl.write\"\nfrom = \"events\"\npath = \"-\"\n");
  }

  explicit JsonlRead(const Params& p)
      : lines_(p.input_path("path"), {.max_line = p.get<std::size_t>("max_line")}),
        time_member_(p.get<std::string>("time")),
        key_member_(p.get<std::string>("key")),
        skip_(p.get<std::string>("faults") == "skip"),
        node_(p.context().node) {}

  bool read(Output& out) override {
    if (!lines_.next(batch_)) return false;
    const std::size_t sound = json_lines_.sound(batch_);
    for (std::size_t i = 0; i < batch_.lines.size(); ++i) {
      const std::string_view json = batch_.text(batch_.lines[i]);
      const std::size_t start = first_not_blank(json);
      if (start == std::string_view::npos) continue;
      Packet packet;
      try {
        if (i >= sound) require_object(json, json[start]);
        packet = packet_of(i);
      } catch (const Error& e) {
        pass_over(e.within(batch_.where(lines_.name(), i)));
        continue;
      }
      out.emit(std::move(packet));
    }
    return true;
  }

  void interrupt() override { lines_.interrupt(); }
  double fraction() const override { return lines_.fraction(); }
  void save(Archive& state) const override {
    state.set("offset", lines_.offset());
    state.set("line", lines_.line());
    state.set("time", newest_);
  }
  void load(const Archive& state) override {
    lines_.resume(state.get<std::uint64_t>("offset"), state.get<std::uint64_t>("line"));
    newest_ = state.get<Duration>("time");
  }

 private:
  Packet packet_of(std::size_t line) {
    std::shared_ptr<const Record> made = records_.make(batch_.block, batch_.text(batch_.lines[line]));
    const Record* record = made.get();
    Packet packet{std::move(made), Time{static_cast<std::int64_t>(batch_.first_line + line)}};
    if (!time_member_.empty()) packet.time = time_of(*record);
    if (!key_member_.empty()) packet.key = key_of(*record);
    return packet;
  }

  void pass_over(const Error& error) {
    if (!skip_) throw error;
    ++passed_over_;
    if ((passed_over_ & (passed_over_ - 1)) == 0)  // 1, 2, 4, 8 ...: not one warning for each
      log_warning(node_, error.what() + (", passed over; " + std::to_string(passed_over_) + " by now"));
  }

  static void require_object(std::string_view json, char first) {
    if (const auto fault = Value::fault(json)) {
      if (const std::size_t good = valid_utf8_prefix(json); good < json.size())
        throw bad_data("column " + std::to_string(good + 1) + ": invalid UTF-8");
      throw bad_data("column " + std::to_string(fault->first + 1) + ": not JSON: " + fault->second);
    }
    if (first != '{') throw bad_data("expected a JSON object, found " + std::string(kind_of(first)));
  }

  static const char* kind_of(char first) {
    return first == '['                   ? "an array"
           : first == '"'                 ? "a string"
           : first == 'n'                 ? "null"
           : first == 't' || first == 'f' ? "a boolean"
                                          : "a number";
  }

  Time time_of(const Record& record) {
    const Value& value = record.at(time_member_);
    if (!value.is_number())
      throw bad_data("member '" + time_member_ + "' is not a number but " + value.kind());
    const double seconds = value.as_double();
    // 2^63 nanoseconds are 292 years either way.
    if (!(std::abs(seconds) < 9.2e9))
      throw bad_data("member '" + time_member_ + "' is no time in seconds: " + value.dump());
    const Time time = value.is_integer() ? Time{value.as_integer() * 1'000'000'000}
                                         : Time{static_cast<std::int64_t>(std::llround(seconds * 1e9))};
    if (time < newest_) {
      throw bad_data("member '" + time_member_ + "' goes back in time: " + value.dump() + " s after " +
                     to_string(newest_));
    }
    return newest_ = time;
  }

  Key key_of(const Record& record) const {
    const Value* value = record.find(key_member_);
    if (!value || value->is_null()) return {};
    if (value->is_string()) return Key(value->as_string());
    if (value->is_integer()) return Key(std::to_string(value->as_integer()));
    throw bad_data("member '" + key_member_ + "' is neither a string nor an integer but " + value->kind());
  }

  LineReader lines_;
  LineReader::Batch batch_;
  JsonLines json_lines_;
  LineRecords records_;
  std::string time_member_, key_member_;
  bool skip_;
  std::string node_;
  std::uint64_t passed_over_ = 0;
  Time newest_ = kTimeMin;
};

}  // namespace stream
