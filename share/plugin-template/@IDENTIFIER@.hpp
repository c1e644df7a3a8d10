#pragma once

#include <string>

#include "stream/plugin.hpp"

/// Puts a prefix before each line of text. Replace `process` with what your operator does; `spec` says what it offers.
class @CLASS@ final : public stream::Operator {
 public:
  static stream::Spec spec() {
    return stream::Spec{"@IDENTIFIER@.prefix", "Put a prefix before each line of text."}
        .input<stream::Text>("in", "lines")
        .output<stream::Text>("out", "the same lines, each after the prefix")
        .param("prefix", "> ", "what comes before each line")
        .contract({.order = stream::Order::kStateless})
        .example("Quote what arrives on stdin", R"(
[nodes.lines]
use = "text.read"
path = "-"

[nodes.quote]
use = "@IDENTIFIER@.prefix"
from = "lines"

[nodes.out]
use = "text.write"
from = "quote"
path = "-"
)");
  }

  explicit @CLASS@(const stream::Params& params) : prefix_(params.get<std::string>("prefix")) {}

  void process(stream::Packet in, stream::Output& out) override {
    const auto& line = in.as<stream::Text>();
    out.emit(in.with<stream::Text>(prefix_ + std::string(line.str())));
  }

 private:
  std::string prefix_;
};
