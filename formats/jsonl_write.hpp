/// jsonl.write: one line of JSON for each record.
#pragma once

#include "file_sink.hpp"
#include "stream/plugin.hpp"

namespace stream {

class JsonlWrite final : public FileSink {
 public:
  static Spec spec() {
    return Spec{"jsonl.write", "Write each record as a line of JSON to a file or stdout."}
        .input<Record>("in")
        .path("path", "-", "file to write; - is stdout")
        .param("sequence", std::string(),
               "member to put first in every record: its number, 0, 1, 2 ...; empty: none")
        .param("at_once", false,
               "hand every line over by itself: for a dialogue, whose other side answers each")
        .about(std::string("A record that was read as text and not changed since is written as it was, "
                           "blanks included.\n\n"
                           "The numbers of `sequence` go on where they were when a run is resumed, and equal "
                           "numbers stand on equal records. A reader that drops numbers it has seen, and a "
                           "last line without its line feed, therefore gets every record exactly once, "
                           "however often the run was stopped. A record that has the member already ends the "
                           "run with exit code 65.\n\n") +
               kFileSinkAbout)
        .contract({.order = Order::kStateful})
        .example("Copy JSON Lines, checking each",
                 "[nodes.in]\nuse  = \"jsonl.read\"\npath = \"-\"\n\n"
                 "[nodes.out]\nuse  = \"jsonl.write\"\nfrom = \"in\"\npath = \"-\"\n")
        .example("Number the records, for a reader at the other end of a pipe",
                 "[nodes.in]\nuse  = \"jsonl.read\"\npath = \"-\"\n\n"
                 "[nodes.out]\nuse      = \"jsonl.write\"\nfrom     = \"in\"\npath     = \"-\"\nsequence = "
                 "\"seq\"\n");
  }
  explicit JsonlWrite(const Params& p)
      : FileSink(p.get<std::string>("path")),
        sequence_(p.get<std::string>("sequence")),
        at_once_(p.get<bool>("at_once")) {}
  void process(Packet in, Output&) override {
    const auto& record = in.as<Record>();
    const std::string_view json = record.json();
    // JSON that was spread over lines is a valid record, but not a valid line.
    const bool one_line = json.find('\n') == std::string_view::npos;
    const std::string dumped = one_line ? std::string() : Value(record.object()).dump();
    const std::string_view line = one_line ? json : dumped;
    if (sequence_.empty())
      write(line, "\n");
    else
      write(numbered(record, line), "\n");
    if (at_once_) flush();
  }
  void save(Archive& state) const override {
    FileSink::save(state);
    if (!sequence_.empty()) state.set("sequence", next_);
  }
  void load(const Archive& state) override {
    FileSink::load(state);
    if (!sequence_.empty()) next_ = state.get<std::uint64_t>("sequence");
  }

 private:
  /// The record's line with its number in front of the other members, which stay as they were written.
  std::string numbered(const Record& record, std::string_view line) {
    if (record.find(sequence_))
      throw bad_data("a record has a member '" + sequence_ + "' already; sequence can name another");
    const std::size_t brace = line.find('{');
    const bool empty = line[line.find_first_not_of(" \t\r", brace + 1)] == '}';
    std::string text(line.substr(0, brace + 1));
    text += Value(sequence_).dump() + ": " + std::to_string(next_++) + (empty ? "" : ", ");
    return text += line.substr(brace + 1);
  }

  std::string sequence_;
  bool at_once_;
  std::uint64_t next_ = 0;  ///< number of the next record
};

}  // namespace stream
