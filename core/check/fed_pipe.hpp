/// What a source's path leads to: a file, or a pipe that somebody writes to in pieces.
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <thread>

#include "check/scenario.hpp"

namespace stream::laws {

/// `path()` is a pipe that brings `bytes` in pieces of 1 to `most` bytes, in an order fixed by `seed`, then
/// ends; or stays open, for a read that nothing will ever answer. After many such pieces the rest comes in
/// larger ones: each costs a switch between two threads, which a busy machine may take milliseconds for. A
/// `slow` one brings small pieces to the end, each when the one before it was read, as a live input does.
class FedPipe {
 public:
  FedPipe(std::string bytes, std::size_t most, std::uint64_t seed = 1, bool ends = true, bool slow = false);
  ~FedPipe();
  FedPipe(const FedPipe&) = delete;
  FedPipe& operator=(const FedPipe&) = delete;
  std::string path() const { return "/dev/fd/" + std::to_string(ends_[0]); }
  /// The descriptor to read from.
  int reader() const { return ends_[0]; }

 private:
  void wait_until_read() const;

  int ends_[2];
  std::atomic<bool> stopped_{false};
  std::thread writer_;
  bool closes_;
};

/// A file of its own that goes away with it.
class ScratchFile {
 public:
  explicit ScratchFile(std::string_view bytes = {}, const std::string& ending = ".bin",
                       const std::string& folder = {});
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const std::string& path() const { return path_; }
  void write(std::string_view bytes) const;
  std::string read() const;

 private:
  std::string path_;
};

}  // namespace stream::laws
