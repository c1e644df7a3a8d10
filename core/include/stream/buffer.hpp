/// Immutable shared memory: what payloads are made of. Copying a Buffer never copies bytes.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stream {

/// A view of `size` bytes and shared ownership of the memory behind them.
class Buffer {
 public:
  Buffer() = default;
  Buffer(std::shared_ptr<const void> owner, const std::byte* data, std::size_t size)
      : owner_(std::move(owner)), data_(data), size_(size) {}

  /// Takes over the memory of a vector or string without copying it.
  template <typename T>
  static Buffer own(std::vector<T> values) {
    auto owner = std::make_shared<const std::vector<T>>(std::move(values));
    const auto* data = reinterpret_cast<const std::byte*>(owner->data());
    const std::size_t size = owner->size() * sizeof(T);
    return Buffer(std::move(owner), data, size);
  }
  static Buffer own(std::string text) {
    auto owner = std::make_shared<const std::string>(std::move(text));
    const auto* data = reinterpret_cast<const std::byte*>(owner->data());
    const std::size_t size = owner->size();
    return Buffer(std::move(owner), data, size);
  }
  static Buffer copy(std::span<const std::byte> bytes) {
    return own(std::vector<std::byte>(bytes.begin(), bytes.end()));
  }

  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
  /// The bytes as values of T; the buffer must be aligned for T (every `own`ed buffer is).
  template <typename T>
  std::span<const T> as() const {
    return {reinterpret_cast<const T*>(data_), size_ / sizeof(T)};
  }
  /// `size` bytes from `offset`, sharing ownership. Precondition: offset + size <= this->size().
  Buffer slice(std::size_t offset, std::size_t size) const { return Buffer(owner_, data_ + offset, size); }
  /// What keeps the bytes alive, for handing them to another library without a copy.
  const std::shared_ptr<const void>& owner() const { return owner_; }

 private:
  std::shared_ptr<const void> owner_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace stream
