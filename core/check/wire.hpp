/// Scenarios and outcomes as bytes, between the process that judges and those that play. What comes back from
/// a plugin's process is trusted no more than a file: every length is checked.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "check/scenario.hpp"

namespace stream::laws {

class Writer {
 public:
  template <typename T>
  void number(T value) {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void text(std::string_view text) {
    number<std::uint64_t>(text.size());
    bytes_.append(text);
  }
  void packet(const Packet& packet);
  void archive(const Archive& archive);
  void inputs(const Inputs& inputs);
  void emissions(const std::vector<Emission>& emitted);
  void fault(const std::optional<Fault>& fault);
  void faults(const std::vector<Fault>& faults);
  void scenario(const Scenario& scenario);
  void outcome(const Outcome& outcome);
  void measures(const Measures& measures);
  const std::string& bytes() const { return bytes_; }

 private:
  void tensor(const Tensor& tensor);
  std::string bytes_;
};

/// Throws Error(kFailed) when the bytes end early or mean nothing.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  template <typename T>
  T number() {
    if constexpr (std::is_same_v<T, bool>) {
      return take(1).front() != 0;
    } else {
      T value;
      std::memcpy(&value, take(sizeof value).data(), sizeof value);
      return value;
    }
  }
  std::string text() { return std::string(take(number<std::uint64_t>())); }
  Packet packet();
  Archive archive(int depth = 0);
  Inputs inputs();
  std::vector<Emission> emissions();
  std::optional<Fault> fault();
  std::vector<Fault> faults();
  Scenario scenario();
  Outcome outcome();
  Measures measures();

 private:
  std::string_view take(std::uint64_t size);
  /// A count of things that take at least `least` bytes each.
  std::size_t count(std::size_t least = 1);
  Tensor tensor();
  std::string_view bytes_;
};

}  // namespace stream::laws
