#include "faulty_files.hpp"

#include <fcntl.h>

#include <cerrno>

namespace stream::campaign {

const char* name_of(Call call) {
  switch (call) {
    case Call::kOpen:
      return "open";
    case Call::kRead:
      return "read";
    case Call::kWrite:
      return "write";
    case Call::kSeek:
      return "lseek";
    case Call::kTruncate:
      return "ftruncate";
    case Call::kSync:
      return "fsync";
    case Call::kClose:
      return "close";
    case Call::kRename:
      return "rename";
    case Call::kUnlink:
      return "unlink";
  }
  return "";
}

bool Fault::harmless() const { return !lasting && (error == 0 || error == EINTR); }

bool FaultyFiles::strikes(Call call, const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (call != fault_.call || seen_++ != at_) return false;
  fired_ = true;
  victim_ = path;
  return true;
}

std::string FaultyFiles::path_of(int fd) {
  const std::scoped_lock lock(mutex_);
  const auto found = open_.find(fd);
  return found == open_.end() ? "descriptor " + std::to_string(fd) : found->second;
}

int FaultyFiles::open(const char* path, int flags, int mode) {
  const bool full = fault_.lasting && fired_ && (flags & O_CREAT) != 0;
  if (strikes(Call::kOpen, path) || full) {
    errno = fault_.error;
    return -1;
  }
  const int fd = FileSystem::open(path, flags, mode);
  if (fd >= 0) {
    const std::scoped_lock lock(mutex_);
    open_[fd] = path;
  }
  return fd;
}

ssize_t FaultyFiles::read(int fd, void* data, std::size_t size) {
  if (strikes(Call::kRead, path_of(fd))) {
    if (fault_.error == 0) return FileSystem::read(fd, data, size > 1 ? size / 2 : size);
    errno = fault_.error;
    return -1;
  }
  return FileSystem::read(fd, data, size);
}

ssize_t FaultyFiles::write(int fd, const void* data, std::size_t size) {
  const bool full = fault_.lasting && fired_;
  const bool now = strikes(Call::kWrite, path_of(fd));
  if (now && (fault_.error == 0 || fault_.lasting) && size > 1) return FileSystem::write(fd, data, size / 2);
  if ((now && fault_.error != 0) || full) {
    errno = fault_.error;
    return -1;
  }
  return FileSystem::write(fd, data, size);
}

off_t FaultyFiles::lseek(int fd, off_t offset, int whence) {
  if (strikes(Call::kSeek, path_of(fd))) {
    errno = fault_.error;
    return -1;
  }
  return FileSystem::lseek(fd, offset, whence);
}

int FaultyFiles::ftruncate(int fd, off_t size) {
  if (strikes(Call::kTruncate, path_of(fd))) {
    errno = fault_.error;
    return -1;
  }
  return FileSystem::ftruncate(fd, size);
}

int FaultyFiles::fsync(int fd) {
  if (strikes(Call::kSync, path_of(fd))) {
    errno = fault_.error;
    return -1;
  }
  return FileSystem::fsync(fd);
}

int FaultyFiles::close(int fd) {
  // A close that fails has closed all the same.
  const bool fails = strikes(Call::kClose, path_of(fd));
  {
    const std::scoped_lock lock(mutex_);
    open_.erase(fd);
  }
  const int result = FileSystem::close(fd);
  if (!fails) return result;
  errno = fault_.error;
  return -1;
}

int FaultyFiles::rename(const char* from, const char* to) {
  if (strikes(Call::kRename, to)) {
    errno = fault_.error;
    return -1;
  }
  return FileSystem::rename(from, to);
}

int FaultyFiles::unlink(const char* path) {
  if (strikes(Call::kUnlink, path)) {
    errno = fault_.error;
    return -1;
  }
  return FileSystem::unlink(path);
}

}  // namespace stream::campaign
