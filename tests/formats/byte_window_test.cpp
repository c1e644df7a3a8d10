#include "byte_window.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace stream {
namespace {

/// A pipe that holds at any time what was written last, and no more: what a slow writer looks like to its
/// reader.
class SlowPipe {
 public:
  SlowPipe() {
    if (::pipe(ends_) != 0) throw std::runtime_error("no pipe");
  }
  ~SlowPipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  SlowPipe(const SlowPipe&) = delete;
  SlowPipe& operator=(const SlowPipe&) = delete;
  std::string path() const { return "/dev/fd/" + std::to_string(ends_[0]); }
  void write(std::string_view bytes) {
    ASSERT_EQ(::write(ends_[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }

 private:
  int ends_[2];
};

std::string some_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 24);
  return bytes;
}

TEST(ByteWindow, WhateverPiecesAPipeBringsMemoryIsAWindow) {
  const std::string bytes = some_bytes(std::size_t{4} << 20);
  for (const std::size_t piece : {999u, 2560u, 40'000u}) {
    SlowPipe pipe;
    ByteWindow window(pipe.path());
    std::string read;
    for (std::size_t at = 0; at + piece <= bytes.size(); at += piece) {
      pipe.write(std::string_view(bytes).substr(at, piece));
      ASSERT_EQ(window.want(window.view().size() + 1), ByteWindow::Status::kReady);
      // A decoder leaves the part of a sample that is not whole yet.
      const std::size_t part = window.view().size() / 4 * 4;
      read += window.view().substr(0, part);
      window.consume(part);
      ASSERT_LE(window.memory(), std::size_t{128} << 10) << "at byte " << at << ", " << piece << " at a time";
    }
    EXPECT_EQ(read, bytes.substr(0, read.size()));
    EXPECT_GT(read.size() + piece + 4, bytes.size());
  }
}

TEST(ByteWindow, ARewindFindsWhatWasMarkedAndMemoryFollowsTheMark) {
  const std::string bytes = some_bytes(std::size_t{1} << 20);
  SlowPipe pipe;
  ByteWindow window(pipe.path());
  for (std::size_t at = 0; at + 20'000 <= bytes.size(); at += 10'000) {
    pipe.write(std::string_view(bytes).substr(at == 0 ? 0 : at + 10'000, at == 0 ? 20'000 : 10'000));
    window.mark(at);
    ASSERT_EQ(window.want(20'000), ByteWindow::Status::kReady);
    window.consume(20'000);
    window.rewind();
    ASSERT_EQ(window.offset(), at);
    ASSERT_EQ(window.want(10'000), ByteWindow::Status::kReady);
    EXPECT_EQ(window.view().substr(0, 10'000), std::string_view(bytes).substr(at, 10'000));
    window.consume(10'000);
    ASSERT_LE(window.memory(), std::size_t{256} << 10) << "at byte " << at;
  }
}

}  // namespace
}  // namespace stream
