/// One run at a time may use a checkpoint: two that were started by one timer, the second before the first
/// had ended, would each cut back what the other has written.
#pragma once

#include <string>

namespace stream {

/// Held from construction to destruction, and by no process that has died. The lock is on `FILE.lock`, which
/// goes away with it; where the file system knows no locks, or nothing may be written, none is taken.
class CheckpointLock {
 public:
  /// Throws Error(kTryAgain) with the other run's process number.
  explicit CheckpointLock(const std::string& checkpoint);
  ~CheckpointLock();
  CheckpointLock(const CheckpointLock&) = delete;
  CheckpointLock& operator=(const CheckpointLock&) = delete;

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace stream
