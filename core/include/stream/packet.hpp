/// One item on an edge.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "stream/error.hpp"
#include "stream/payload.hpp"
#include "stream/time.hpp"

namespace stream {

/// Names one stream among many that flow through the same edge. The empty key is the default.
/// Copies share one string.
class Key {
 public:
  Key() = default;
  Key(std::string_view name) : name_(name.empty() ? nullptr : std::make_shared<const std::string>(name)) {}
  std::string_view str() const { return name_ ? std::string_view(*name_) : std::string_view(); }
  bool empty() const { return !name_; }
  friend bool operator==(const Key& a, const Key& b) { return a.name_ == b.name_ || a.str() == b.str(); }

 private:
  std::shared_ptr<const std::string> name_;
};

/// Times on an edge never decrease. `sequence` and `arrival` are filled in by the graph.
struct Packet {
  std::shared_ptr<const Payload> payload;
  Time time{0};          ///< event time of the first thing in the payload
  Duration duration{0};  ///< 0 for instants
  Key key;
  std::uint64_t sequence = 0;  ///< counts the packets of the port that emitted it, from 0
  std::int64_t arrival = 0;    ///< steady-clock nanoseconds at which its newest cause entered the graph

  /// `Packet::of<Text>(time, "hello")`
  template <typename P, typename... Args>
  static Packet of(Time time, Args&&... args) {
    return Packet{std::make_shared<const P>(std::forward<Args>(args)...), time, {}, {}, 0, 0};
  }
  /// This packet's time, duration, key and arrival around another payload.
  template <typename P, typename... Args>
  Packet with(Args&&... args) const {
    return Packet{std::make_shared<const P>(std::forward<Args>(args)...), time, duration, key, 0, arrival};
  }
  bool is(PayloadType type) const { return payload && payload->type() == type; }
  /// The payload as P; throws Error(kBadData) that names both types when it is another.
  template <typename P>
  const P& as() const {
    if (!is(P::kType)) wrong_type(P::kType);
    return static_cast<const P&>(*payload);
  }

 private:
  [[noreturn]] void wrong_type(PayloadType expected) const;
};

}  // namespace stream
