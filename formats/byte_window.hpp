/// Forward-only access to a file or pipe, a few bytes at a time: what decoders of audio read from. A file is
/// never sought in, so that it and a pipe of the same bytes behave alike.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/file.hpp"

namespace stream {

class ByteWindow {
 public:
  enum class Status { kReady, kEnd, kInterrupted };

  explicit ByteWindow(std::string path) : input_(std::move(path)) {}

  /// Reads until at least `size` bytes are in view; kEnd when the input ends before that. Callers bound
  /// `size`.
  Status want(std::size_t size);
  /// The bytes read and not consumed yet. Valid until the next call of a member that is not const.
  std::string_view view() const { return {data_.data() + begin_, end_ - begin_}; }
  /// Precondition: size <= view().size().
  void consume(std::size_t size) { begin_ += size; }
  /// From now on the bytes from `offset` stay, although they may be consumed: `rewind` goes back to it.
  /// Precondition: an offset not before the last mark, nor behind `offset()`.
  void mark(std::uint64_t offset) { marked_ = begin_ - static_cast<std::size_t>(this->offset() - offset); }
  /// Precondition: there is a mark.
  void rewind() { begin_ = *marked_; }
  /// Consumes `left` bytes, however many, and counts them down, so that it can be called again after an
  /// interruption; kEnd when the input ends before that.
  Status skip(std::uint64_t& left);
  /// Consumes all there is: a writer to a pipe that is still writing must not be cut off.
  Status drain();
  /// Offset in the input of the first byte in view.
  std::uint64_t offset() const { return input_.offset() - (end_ - begin_); }
  /// Starts at that offset. Call it before anything was read.
  void resume(std::uint64_t offset) { input_.skip_to(offset); }
  void interrupt() { input_.interrupt(); }
  /// Bytes of memory held, those of a window that is not full included.
  std::size_t memory() const { return data_.size(); }
  /// Fraction consumed, negative when unknown.
  double fraction() const;
  const std::string& name() const { return input_.name(); }
  /// "speech.wav: byte 120: "
  std::string here() const { return name() + ": byte " + std::to_string(offset()) + ": "; }

 private:
  InputFile input_;
  std::vector<char> data_;
  std::size_t begin_ = 0, end_ = 0;
  std::optional<std::size_t> marked_;
};

}  // namespace stream
