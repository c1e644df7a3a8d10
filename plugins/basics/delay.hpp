/// delay: takes its time.
#pragma once

#include <chrono>
#include <thread>

#include "stream/plugin.hpp"

namespace stream {

class Delay final : public Operator {
 public:
  static Spec spec() {
    return Spec{"delay", "Sleep for each packet, then pass it on."}
        .input<Payload>("in")
        .output<Payload>("out")
        .param("milliseconds", 1.0, "time to sleep for each packet, fractions allowed", range(0, 3'600'000),
               unit("ms"))
        .about(
            "Stands in for a slow model or a slow reader: wall-clock time passes, event time stays as it is.")
        .contract({.order = Order::kStateless, .cost = Cost::kHeavy})
        .example("A slow reader of lines",
                 "[nodes.lines]\nuse = \"text.read\"\n\n[nodes.slow]\nuse          = \"delay\"\nfrom         "
                 "= \"lines\"\n"
                 "milliseconds = 0.5\n\n[nodes.print]\nuse  = \"text.write\"\nfrom = \"slow\"\n");
  }
  explicit Delay(const Params& p) : time_(p.get<double>("milliseconds")) {}
  void process(Packet in, Output& out) override {
    std::this_thread::sleep_for(time_);
    out.emit(std::move(in));
  }

 private:
  std::chrono::duration<double, std::milli> time_;
};

}  // namespace stream
