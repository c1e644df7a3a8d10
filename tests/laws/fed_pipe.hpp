/// What readers are tried on: pipes that bring bytes in pieces, files that go away, reads that are
/// interrupted.
#pragma once

#include <algorithm>

#include "check/fed_pipe.hpp"
#include "stream/file.hpp"
#include "stream/operator.hpp"

namespace stream::laws {

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
