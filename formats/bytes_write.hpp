/// bytes.write: bytes as they are.
#pragma once

#include "file_sink.hpp"
#include "stream/plugin.hpp"

namespace stream {

class BytesWrite final : public FileSink {
 public:
  static Spec spec() {
    return Spec{"bytes.write", "Write raw bytes to a file or stdout."}
        .input<Bytes>("in", "written one after the other, with nothing in between")
        .path("path", "-", "file to write; - is stdout")
        .about(kFileSinkAbout)
        .contract({.order = Order::kStateful})
        .example("Save what arrives on stdin",
                 "[nodes.in]\nuse  = \"bytes.read\"\npath = \"-\"\n\n"
                 "[nodes.out]\nuse  = \"bytes.write\"\nfrom = \"in\"\npath = \"saved.bin\"\n");
  }
  explicit BytesWrite(const Params& p) : FileSink(p.get<std::string>("path")) {}
  void process(Packet in, Output&) override { write(in.as<Bytes>().buffer().text()); }
};

}  // namespace stream
