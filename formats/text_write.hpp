/// text.write: one line for each text.
#pragma once

#include "file_sink.hpp"
#include "stream/plugin.hpp"

namespace stream {

class TextWrite final : public FileSink {
 public:
  static Spec spec() {
    return Spec{"text.write", "Write each text as a line to a file or stdout."}
        .input<Text>("in", "line feeds inside a text are written as they are")
        .path("path", "-", "file to write; - is stdout")
        .about(std::string("Every text is followed by LF, the last one too. ") + kFileSinkAbout)
        .contract({.order = Order::kStateful})
        .example("Copy lines into a file",
                 "[nodes.lines]\nuse  = \"text.read\"\npath = \"-\"\n\n"
                 "[nodes.print]\nuse  = \"text.write\"\nfrom = \"lines\"\npath = \"copy.txt\"\n");
  }
  explicit TextWrite(const Params& p) : FileSink(p.get<std::string>("path")) {}
  void process(Packet in, Output&) override { write(in.as<Text>().str(), "\n"); }
};

}  // namespace stream
