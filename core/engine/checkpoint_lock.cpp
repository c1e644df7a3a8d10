#include "engine/checkpoint_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "stream/error.hpp"

namespace stream {
namespace {

std::string owner(int fd) {
  char number[24] = {};
  const ssize_t n = ::pread(fd, number, sizeof number - 1, 0);
  if (n <= 0) return "another run";
  const std::string digits(number, static_cast<std::size_t>(n));
  if (digits.find_first_not_of("0123456789") != std::string::npos) return "another run";
  return "another run (process " + digits + ")";
}

}  // namespace

// The calls are not those of FileSystem: the lock is no data, and whatever becomes of it no run fails.
CheckpointLock::CheckpointLock(const std::string& checkpoint) : path_(checkpoint + ".lock") {
  for (;;) {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd_ < 0) return;
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      const bool busy = errno == EWOULDBLOCK;
      const std::string who = busy ? owner(fd_) : "";
      ::close(fd_);
      fd_ = -1;
      if (!busy) return;
      throw Error(ExitCode::kTryAgain,
                  checkpoint + ": " + who +
                      " is using this checkpoint: wait for its end, or give this run another one");
    }
    struct stat here {};
    if (::fstat(fd_, &here) == 0 && here.st_nlink > 0) break;
    ::close(fd_);  // its owner removed it before this run had it
  }
  const std::string number = std::to_string(::getpid());
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, number.data(), number.size(), 0) < 0) {
    // The lock holds without its owner's number.
  }
}

CheckpointLock::~CheckpointLock() {
  if (fd_ < 0) return;
  ::unlink(path_.c_str());
  ::close(fd_);
}

}  // namespace stream
