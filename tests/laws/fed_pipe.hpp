/// A pipe that somebody writes to in pieces, and a file, both of given bytes, for readers to be tried on.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

#include "stream/file.hpp"
#include "stream/operator.hpp"
#include "stream/random.hpp"

namespace stream::laws {

/// `path()` is a pipe that brings `bytes` in pieces of 1 to `most` bytes, in an order fixed by `seed`, then
/// ends. After many such pieces the rest comes in larger ones: each costs a switch between two threads, which
/// a busy machine may take milliseconds for.
class FedPipe {
 public:
  FedPipe(std::string bytes, std::size_t most, std::uint64_t seed = 1) {
    std::signal(SIGPIPE, SIG_IGN);
    if (::pipe2(ends_, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    writer_ = std::thread([this, bytes = std::move(bytes), most, seed] {
      Random random(seed);
      std::size_t pieces = 0;
      for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t largest = pieces++ < kSmallPieces ? most : std::max(most, kLargePiece);
        const std::size_t piece = std::min<std::size_t>(bytes.size() - at, 1 + random.below(largest));
        const ssize_t n = ::write(ends_[1], bytes.data() + at, piece);
        if (n <= 0) break;
        at += static_cast<std::size_t>(n);
        if (random.below(4) == 0) std::this_thread::yield();
      }
      ::close(ends_[1]);
    });
  }
  ~FedPipe() {
    ::close(ends_[0]);
    writer_.join();
  }
  FedPipe(const FedPipe&) = delete;
  FedPipe& operator=(const FedPipe&) = delete;
  std::string path() const { return "/dev/fd/" + std::to_string(ends_[0]); }

 private:
  static constexpr std::size_t kSmallPieces = 1000, kLargePiece = 8192;
  int ends_[2];
  std::thread writer_;
};

/// A file of its own that goes away with it.
class ScratchFile {
 public:
  explicit ScratchFile(std::string_view bytes = {}, const std::string& suffix = ".bin") {
    std::string name = (std::filesystem::temp_directory_path() / "stream-test-XXXXXX").string() + suffix;
    const int fd = ::mkstemps(name.data(), static_cast<int>(suffix.size()));
    if (fd < 0) throw std::runtime_error("mkstemps");
    ::close(fd);
    path_ = name;
    write(bytes);
  }
  ~ScratchFile() { std::remove(path_.c_str()); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const std::string& path() const { return path_; }
  void write(std::string_view bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  std::string read() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  std::string path_;
};

/// While it lives, files come in pieces of `piece` bytes, and after every `every`th piece the source is
/// interrupted, as a checkpoint does with one that waits for its input.
class InterruptedReads final : public FileSystem {
 public:
  InterruptedReads(Source& source, std::size_t piece, std::size_t every)
      : source_(source), piece_(piece), every_(every), before_(swap_files(this)) {}
  ~InterruptedReads() override { swap_files(before_); }
  ssize_t read(int fd, void* data, std::size_t size) override {
    if (++reads_ % every_ == 0) source_.interrupt();
    return FileSystem::read(fd, data, std::min(size, piece_));
  }
  std::size_t reads() const { return reads_; }

 private:
  Source& source_;
  std::size_t piece_, every_, reads_ = 0;
  FileSystem* before_;
};

}  // namespace stream::laws
