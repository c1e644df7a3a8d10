/// When two runs gave the same output, and where they differ first.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "check/scenario.hpp"

namespace stream::laws {

enum class Equality : std::uint8_t {
  kPackets,  ///< packet for packet; bytes, whose cut carries no meaning, as one string
  kContent,  ///< audio sample for sample as well, wherever it is cut
};

struct Difference {
  std::size_t port = 0;
  std::size_t index = 0;      ///< of the packet, or of the stretch of bytes or audio
  std::string expected, got;  ///< short JSON, or "nothing"
  std::string where;          ///< "sample 37: 0.5, expected 0.25"; empty when the packets show it
  Time time{0};               ///< of the first thing that differs
};

/// The first difference of each port that has one, among what was emitted before `until`.
std::vector<Difference> differences(const std::vector<Emission>& expected, const std::vector<Emission>& got,
                                    Equality equality, Time until = kTimeMax);
/// The first difference among what was emitted before `until`.
std::optional<Difference> first_difference(const std::vector<Emission>& expected,
                                           const std::vector<Emission>& got, Equality equality,
                                           Time until = kTimeMax);
/// The same for bytes that a sink wrote.
std::optional<Difference> first_difference(const std::string& expected, const std::string& got);

/// The text with every byte that is no part of a UTF-8 character as \xNN, for reports.
std::string printable(std::string_view text);

/// A packet in one short line of JSON: {"time":"20ms","text":"hello"}.
std::string short_json(const Packet& packet);

}  // namespace stream::laws
