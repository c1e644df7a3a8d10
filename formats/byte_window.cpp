#include "byte_window.hpp"

#include <algorithm>
#include <cstring>

namespace stream {
namespace {
constexpr std::size_t kWindow = std::size_t{64} << 10;
}

ByteWindow::Status ByteWindow::want(std::size_t size) {
  while (end_ - begin_ < size) {
    // Room is made when less than half a window is left, and only then: whatever pieces the input comes in,
    // the bytes kept and one window are all that is ever held.
    if (const std::size_t room = std::max(size, kWindow / 2); data_.size() - begin_ < room) {
      if (const std::size_t kept = marked_.value_or(begin_); kept > 0) {
        std::memmove(data_.data(), data_.data() + kept, end_ - kept);
        end_ -= kept;
        begin_ -= kept;
        if (marked_) marked_ = 0;
      }
      if (data_.size() - begin_ < room) data_.resize(begin_ + std::max(size, kWindow));
    }
    const auto result = input_.read(std::as_writable_bytes(std::span(data_).subspan(end_)));
    if (result.status == InputFile::Status::kInterrupted) return Status::kInterrupted;
    if (result.status == InputFile::Status::kEnd) return Status::kEnd;
    end_ += result.size;
  }
  return Status::kReady;
}

ByteWindow::Status ByteWindow::skip(std::uint64_t& left) {
  while (left > 0) {
    if (const Status status = want(1); status != Status::kReady) return status;
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(left, view().size()));
    consume(part);
    left -= part;
  }
  return Status::kReady;
}

ByteWindow::Status ByteWindow::drain() {
  for (;;) {
    if (const Status status = want(1); status != Status::kReady) return status;
    consume(view().size());
  }
}

double ByteWindow::fraction() const {
  return input_.size() > 0 ? static_cast<double>(offset()) / static_cast<double>(input_.size()) : -1;
}

}  // namespace stream
