/// For tests of operators: feed packets, collect what comes out, without a graph.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "stream/plugin.hpp"

namespace stream::testing {

/// Collects everything emitted, port by port, and checks that times do not decrease (throws
/// std::logic_error).
class Collector final : public Output {
 public:
  explicit Collector(std::size_t ports = 1) : packets(ports), marks(ports, kTimeMin) {}
  bool unused(std::size_t) const override { return false; }
  std::vector<std::vector<Packet>> packets;
  std::vector<Time> marks;

 protected:
  void put(std::size_t port, Packet&& packet) override;
  void mark(std::size_t port, Time time) override;
};

/// Makes Op with the given parameters; defaults for the rest.
template <typename Op>
std::unique_ptr<Operator> make(const Object& params = {}, Context context = {}) {
  return plugin_detail::entry<Op>().make(Params(Op::spec(), params, std::move(context)));
}

/// Everything that the operator emits for these packets (port 0 in, all ports out), `finish` included.
Collector run(Operator& op, std::vector<Packet> in, std::size_t output_ports = 1);
/// Everything that a source emits until its end.
Collector drain(Source& source, std::size_t output_ports = 1);
/// What a stop and resume does to state: `load(save())`, through a copy that shares nothing.
Archive saved(const Operator& op);

/// A payload as bytes that are equal exactly when the payloads are (type, metadata and content).
std::string bytes_of(const Payload& payload);

}  // namespace stream::testing
