/// discard: the end of a stream that nobody needs.
#pragma once

#include "stream/plugin.hpp"

namespace stream {

class Discard final : public Sink {
 public:
  static Spec spec() {
    return Spec{"discard", "Take packets of any type and forget them."}
        .input<Payload>("in")
        .about("For running a recipe for its side effects, its speed or its errors.")
        .contract({.order = Order::kStateless})
        .example("Check that a file holds valid JSON Lines",
                 "[nodes.events]\nuse  = \"jsonl.read\"\npath = \"-\"\n\n[nodes.nowhere]\nuse  = "
                 "\"discard\"\nfrom = \"events\"\n");
  }
  void process(Packet, Output&) override {}
  void flush() override {}
  void sync() override {}
};

}  // namespace stream
