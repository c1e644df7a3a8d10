/// State on its way to or from a checkpoint: named scalars, strings, tensors, packets and groups of those.
///
/// A checkpoint stores a group as an HDF5 group and an array as a dataset of the same name, so that
/// `h5ls -r` shows what an operator remembers. Names are path components: not empty, no '/'.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "stream/packet.hpp"

namespace stream {

class Archive {
 public:
  using Scalar = std::variant<bool, std::int64_t, double, std::string>;
  using Entry = std::variant<Scalar, std::shared_ptr<const Tensor>, std::shared_ptr<Archive>>;

  // --- writing: a name that is there already is replaced
  void set(std::string_view name, bool value) { put(name, Scalar(value)); }
  void set(std::string_view name, std::int64_t value) { put(name, Scalar(value)); }
  void set(std::string_view name, int value) { put(name, Scalar(std::int64_t{value})); }
  /// Stored as the signed integer with the same bits.
  void set(std::string_view name, std::uint64_t value) {
    put(name, Scalar(static_cast<std::int64_t>(value)));
  }
  void set(std::string_view name, double value) { put(name, Scalar(value)); }
  void set(std::string_view name, float value) { put(name, Scalar(double{value})); }
  void set(std::string_view name, Duration value) { put(name, Scalar(std::int64_t{value.count()})); }
  void set(std::string_view name, std::string_view value) { put(name, Scalar(std::string(value))); }
  void set(std::string_view name, const char* value) { put(name, Scalar(std::string(value))); }
  /// Copies the values.
  template <typename T>
  void set(std::string_view name, std::span<const T> values) {
    set(name, Tensor::of(std::vector<T>(values.begin(), values.end()), {std::int64_t(values.size())}));
  }
  template <typename T>
  void set(std::string_view name, const std::vector<T>& values) {
    set(name, std::span<const T>(values));
  }
  /// Shares the tensor's buffer.
  void set(std::string_view name, Tensor tensor);
  void set(std::string_view name, const Packet& packet);
  void set(std::string_view name, std::span<const Packet> packets);
  /// The group of that name, made when it is not there yet.
  Archive& group(std::string_view name);

  // --- reading: a missing name, or one of another type, throws Error(kBadData) that names it
  bool has(std::string_view name) const { return entries_.find(name) != entries_.end(); }
  /// T: bool, int, int64, uint64, double, float, Duration, std::string, or std::vector of a tensor element.
  template <typename T>
  T get(std::string_view name) const;
  const Tensor& tensor(std::string_view name) const;
  Packet packet(std::string_view name) const;
  std::vector<Packet> packets(std::string_view name) const;
  const Archive& group(std::string_view name) const;

  // --- for what stores archives
  const std::map<std::string, Entry, std::less<>>& entries() const { return entries_; }
  void put(std::string_view name, Entry entry);
  /// Bytes of all values, names not counted.
  std::size_t bytes() const;

 private:
  const Entry& entry(std::string_view name) const;
  const Scalar& scalar(std::string_view name) const;
  [[noreturn]] void wrong_type(std::string_view name, const char* expected) const;
  std::map<std::string, Entry, std::less<>> entries_;
};

template <typename T>
T Archive::get(std::string_view name) const {
  if constexpr (std::is_same_v<T, bool>) {
    if (const auto* v = std::get_if<bool>(&scalar(name))) return *v;
    wrong_type(name, "bool");
  } else if constexpr (std::is_integral_v<T>) {
    if (const auto* v = std::get_if<std::int64_t>(&scalar(name))) return static_cast<T>(*v);
    wrong_type(name, "integer");
  } else if constexpr (std::is_floating_point_v<T>) {
    if (const auto* v = std::get_if<double>(&scalar(name))) return static_cast<T>(*v);
    wrong_type(name, "double");
  } else if constexpr (std::is_same_v<T, Duration>) {
    return Duration{get<std::int64_t>(name)};
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (const auto* v = std::get_if<std::string>(&scalar(name))) return *v;
    wrong_type(name, "string");
  } else {
    const auto values = tensor(name).template values<typename T::value_type>();
    return T(values.begin(), values.end());
  }
}

}  // namespace stream
