/// Where decoders of video read from: a file or pipe whose first bytes may be looked at before somebody is
/// chosen to read it.
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <utility>

#include "stream/file.hpp"

namespace stream {

class VideoInput {
 public:
  explicit VideoInput(std::string path) : file_(std::move(path)) {}

  /// Reads until `size` bytes may be looked at, or fewer at the end of the input.
  InputFile::Status peek(std::size_t size) {
    while (first_.size() < size) {
      std::byte piece[64];
      const auto [status, got] =
          file_.read(std::span(piece).first(std::min(sizeof piece, size - first_.size())));
      if (status == InputFile::Status::kInterrupted) return status;
      if (status == InputFile::Status::kEnd) break;
      first_.append(reinterpret_cast<const char*>(piece), got);
    }
    return InputFile::Status::kData;
  }
  std::string_view first() const { return first_; }

  /// As InputFile::read; begins with what was looked at.
  InputFile::Result read(std::span<std::byte> into) {
    if (taken_ < first_.size()) {
      const std::size_t size = std::min(into.size(), first_.size() - taken_);
      std::memcpy(into.data(), first_.data() + taken_, size);
      taken_ += size;
      position_ = taken_;
      return {InputFile::Status::kData, size};
    }
    const auto result = file_.read(into);
    position_ = file_.offset();
    return result;
  }
  /// Moves to `offset`; only forward on a pipe.
  void skip_to(std::uint64_t offset) {
    if (size() == 0 && offset < first_.size()) {
      taken_ = static_cast<std::size_t>(offset);
    } else {
      taken_ = first_.size();
      file_.skip_to(offset);
    }
    position_ = offset;
  }
  void interrupt() { file_.interrupt(); }
  /// Of the next byte. Any thread may ask.
  std::uint64_t offset() const { return position_; }
  /// Bytes in all when it is a regular file, else 0.
  std::uint64_t size() const { return file_.size(); }
  double fraction() const {
    return size() > 0 ? static_cast<double>(offset()) / static_cast<double>(size()) : -1;
  }
  const std::string& name() const { return file_.name(); }

 private:
  InputFile file_;
  std::string first_;
  std::size_t taken_ = 0;  ///< of first_
  std::atomic<std::uint64_t> position_ = 0;
};

}  // namespace stream
