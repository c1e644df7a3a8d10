/// identity: passes packets on.
#pragma once

#include "stream/plugin.hpp"

namespace stream {

class Identity final : public Operator {
 public:
  static Spec spec() {
    return Spec{"identity", "Pass every packet on as it is."}
        .input<Payload>("in")
        .output<Payload>("out")
        .about("For naming a point in a recipe, and for measuring what a hop costs.")
        .contract({.order = Order::kStateless})
        .example(
            "Copy lines",
            "[nodes.lines]\nuse = \"text.read\"\n\n[nodes.same]\nuse  = \"identity\"\nfrom = \"lines\"\n\n"
            "[nodes.print]\nuse  = \"text.write\"\nfrom = \"same\"\n");
  }
  void process(Packet in, Output& out) override { out.emit(std::move(in)); }
};

}  // namespace stream
