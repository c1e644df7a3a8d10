/// An operator that uses the next packet: it needs as much lookahead as packets are apart.
#pragma once

#include <string>

#include "stream/plugin.hpp"

namespace stream {

/// Holds one packet back to put the next one's text behind it.
class Pairs : public Operator {
 public:
  void process(Packet in, Output& out) override {
    if (held_.payload)
      out.emit(held_.with<Text>(std::string(held_.as<Text>().str()) + std::string(in.as<Text>().str())));
    held_ = std::move(in);
  }
  void finish(Output& out) override {
    if (held_.payload) out.emit(std::move(held_));
  }
  void save(Archive& state) const override {
    state.set("holds", held_.payload != nullptr);
    if (held_.payload) state.set("held", held_);
  }
  void load(const Archive& state) override {
    if (state.get<bool>("holds")) held_ = state.packet("held");
  }

 private:
  Packet held_;
};

}  // namespace stream
