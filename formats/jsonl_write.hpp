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
        .about(std::string("A record that was read as text and not changed since is written as it was, "
                           "blanks included. ") +
               kFileSinkAbout)
        .contract({.order = Order::kStateful})
        .example("Copy JSON Lines, checking each",
                 "[nodes.in]\nuse  = \"jsonl.read\"\npath = \"-\"\n\n"
                 "[nodes.out]\nuse  = \"jsonl.write\"\nfrom = \"in\"\npath = \"-\"\n");
  }
  explicit JsonlWrite(const Params& p) : FileSink(p.get<std::string>("path")) {}
  void process(Packet in, Output&) override {
    const auto& record = in.as<Record>();
    const std::string_view json = record.json();
    // JSON that was spread over lines is a valid record, but not a valid line.
    if (json.find('\n') == std::string_view::npos)
      write(json, "\n");
    else
      write(Value(record.object()).dump(), "\n");
  }
};

}  // namespace stream
