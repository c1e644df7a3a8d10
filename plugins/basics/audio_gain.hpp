/// audio.gain: louder or softer.
#pragma once

#include <cmath>

#include "stream/plugin.hpp"

namespace stream {

/// Scales audio by a constant gain.
class AudioGain final : public Operator {
 public:
  static Spec spec() {
    return Spec{"audio.gain", "Scale audio by a constant gain."}
        .input<Audio>("in")
        .output<Audio>("out")
        .param("db", 0.0, "gain", range(-96, 96), unit("dB"))
        .contract({.order = Order::kStateless})
        .example("Six decibels louder",
                 "[nodes.in]\nuse  = \"audio.read\"\npath = \"-\"\n\n[nodes.louder]\nuse  = \"audio.gain\"\n"
                 "from = \"in\"\ndb   = 6.0\n\n[nodes.out]\nuse  = \"audio.write\"\nfrom = \"louder\"\npath "
                 "= \"-\"\n");
  }
  explicit AudioGain(const Params& p)
      : factor_(static_cast<float>(std::pow(10.0, p.get<double>("db") / 20))) {}

  void process(Packet in, Output& out) override {
    const auto& audio = in.as<Audio>();
    std::vector<float> scaled(audio.samples().begin(), audio.samples().end());
    for (float& sample : scaled) sample *= factor_;
    out.emit(in.with<Audio>(std::move(scaled), audio.channels(), audio.rate()));
  }

 private:
  float factor_;
};

}  // namespace stream
