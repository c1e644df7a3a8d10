#include "stream/file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "stream/error.hpp"

namespace stream {

FileSystem::~FileSystem() = default;
int FileSystem::open(const char* path, int flags, int mode) { return ::open(path, flags, mode); }
ssize_t FileSystem::read(int fd, void* data, std::size_t size) { return ::read(fd, data, size); }
ssize_t FileSystem::write(int fd, const void* data, std::size_t size) { return ::write(fd, data, size); }
off_t FileSystem::lseek(int fd, off_t offset, int whence) { return ::lseek(fd, offset, whence); }
int FileSystem::ftruncate(int fd, off_t size) { return ::ftruncate(fd, size); }
int FileSystem::fsync(int fd) { return ::fsync(fd); }
int FileSystem::close(int fd) { return ::close(fd); }
int FileSystem::rename(const char* from, const char* to) { return std::rename(from, to); }
int FileSystem::unlink(const char* path) { return ::unlink(path); }

namespace {

FileSystem system_files;
FileSystem* current = &system_files;

std::string reason() { return std::strerror(errno); }

/// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) files().close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

int open_retrying(const std::string& path, int flags, int mode = 0666) {
  int fd = -1;
  do fd = files().open(path.c_str(), flags | O_CLOEXEC, mode);
  while (fd < 0 && errno == EINTR);
  return fd;
}

void sync_retrying(int fd, const std::string& path) {
  int result = 0;
  do result = files().fsync(fd);
  while (result < 0 && errno == EINTR);
  // Some file systems cannot sync a folder or a pipe, and say so with EINVAL.
  if (result < 0 && errno != EINVAL && errno != EROFS)
    throw cannot_write(path + ": cannot sync: " + reason());
}

void write_all(int fd, std::string_view bytes, const std::string& name, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = files().write(fd, bytes.data(), bytes.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == EPIPE) throw ClosedPipe();
      if (errno == EAGAIN) {
        pollfd ready{fd, POLLOUT, 0};
        ::poll(&ready, 1, -1);
        continue;
      }
      throw cannot_write(name + ": cannot write at byte " + std::to_string(offset) + ": " + reason());
    }
    // No file system that we know answers so; asking for ever would be worse than giving up.
    if (n == 0) throw cannot_write(name + ": nothing more can be written at byte " + std::to_string(offset));
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

}  // namespace

FileSystem& files() { return *current; }

FileSystem* swap_files(FileSystem* replacement) {
  FileSystem* before = current;
  current = replacement ? replacement : &system_files;
  return before;
}

// --- reading

InputFile::InputFile(std::string path) : name_(std::move(path)) {
  if (name_ == "-") {
    name_ = "stdin";
    fd_ = STDIN_FILENO;
  } else {
    fd_ = open_retrying(name_, O_RDONLY);
    if (fd_ < 0) throw no_input(name_ + ": cannot open: " + reason());
    owned_ = true;
  }
  struct stat info {};
  if (::fstat(fd_, &info) == 0) {
    if (S_ISDIR(info.st_mode)) {
      if (owned_) files().close(fd_);
      throw no_input(name_ + ": is a folder");
    }
    regular_ = S_ISREG(info.st_mode);
  }
  if (regular_) {
    // A shell may hand over a file that somebody else has read the beginning of.
    const off_t stands = owned_ ? 0 : files().lseek(fd_, 0, SEEK_CUR);
    base_ = stands > 0 ? static_cast<std::uint64_t>(stands) : 0;
    const auto whole = static_cast<std::uint64_t>(info.st_size);
    size_ = whole > base_ ? whole - base_ : 0;
  }
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_ < 0) {
    const std::string why = reason();
    if (owned_) files().close(fd_);
    throw Error(ExitCode::kTryAgain, name_ + ": cannot be waited for: " + why);
  }
}

InputFile::~InputFile() {
  if (owned_) files().close(fd_);
  if (wake_ >= 0) ::close(wake_);
}

InputFile::Result InputFile::read(std::span<std::byte> into) {
  while (true) {
    pollfd waiting[2] = {{wake_, POLLIN, 0}, {fd_, POLLIN, 0}};
    // Regular files never block; of them only the wake-up is asked.
    const int ready = ::poll(waiting, regular_ ? 1 : 2, regular_ ? 0 : -1);
    if (ready < 0 && errno == EINTR) continue;
    if (waiting[0].revents != 0) {
      std::uint64_t times = 0;
      [[maybe_unused]] const auto taken = ::read(wake_, &times, sizeof times);
      return {Status::kInterrupted, 0};
    }
    const ssize_t n = files().read(fd_, into.data(), into.size());
    if (n < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      throw no_input(name_ + ": cannot read at byte " + std::to_string(offset_) + ": " + reason());
    }
    offset_ += static_cast<std::uint64_t>(n);
    return {n == 0 ? Status::kEnd : Status::kData, static_cast<std::size_t>(n)};
  }
}

void InputFile::skip_to(std::uint64_t offset) {
  const auto ends_before = [&](std::uint64_t size) {
    return no_input(name_ + ": ends at byte " + std::to_string(size) + ", before byte " +
                    std::to_string(offset) + " at which the checkpoint was taken; is it the same input?");
  };
  if (regular_) {
    if (offset > size_) throw ends_before(size_);
    if (files().lseek(fd_, static_cast<off_t>(base_ + offset), SEEK_SET) < 0) {
      throw no_input(name_ + ": cannot seek to byte " + std::to_string(offset) + ": " + reason());
    }
    offset_ = offset;
    return;
  }
  std::vector<std::byte> dropped(std::size_t{1} << 16);
  while (offset_ < offset) {
    const auto want = std::min<std::uint64_t>(dropped.size(), offset - offset_);
    const Result result = read(std::span(dropped).first(static_cast<std::size_t>(want)));
    if (result.status == Status::kEnd) throw ends_before(offset_);
    if (result.status == Status::kInterrupted) return;
  }
}

void InputFile::interrupt() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

// --- writing

namespace {
constexpr std::size_t kWriteBuffer = std::size_t{1} << 16;
}

OutputFile::OutputFile(std::string path) : name_(path == "-" ? "stdout" : path), path_(std::move(path)) {
  if (path_ == "-") {
    fd_ = STDOUT_FILENO;
    regular_ = false;
    interactive_ = true;
    struct stat info {};
    if (::fstat(fd_, &info) == 0 && S_ISREG(info.st_mode)) {
      regular_ = true;
      interactive_ = false;
      const bool appends = (::fcntl(fd_, F_GETFL) & O_APPEND) != 0;
      const off_t stands = files().lseek(fd_, 0, appends ? SEEK_END : SEEK_CUR);
      offset_ = stands > 0 ? static_cast<std::uint64_t>(stands) : 0;
    }
  } else if (struct stat info{}; ::stat(path_.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    regular_ = false;
    interactive_ = true;
  }
  pending_.reserve(kWriteBuffer);
}

OutputFile::~OutputFile() {
  if (owned_) files().close(fd_);
}

void OutputFile::open(bool keep) {
  fd_ = open_retrying(path_, O_WRONLY | O_CREAT | (keep ? 0 : O_TRUNC));
  if (fd_ < 0) throw cannot_write(name_ + ": cannot open for writing: " + reason());
  owned_ = true;
  struct stat info {};
  if (::fstat(fd_, &info) == 0) {
    regular_ = S_ISREG(info.st_mode);
    interactive_ = !regular_;
  }
}

void OutputFile::write(std::string_view bytes) {
  offset_ += bytes.size();
  if (pending_.size() + bytes.size() > kWriteBuffer) {
    const std::uint64_t start = offset_ - bytes.size() - pending_.size();
    if (fd_ < 0) open(false);
    std::string held = std::exchange(pending_, {});
    hand_over(held, start);
    held.clear();
    pending_ = std::move(held);  // its memory is used again
    if (bytes.size() >= kWriteBuffer) {
      hand_over(bytes, offset_ - bytes.size());
      return;
    }
  }
  pending_.append(bytes);
}

void OutputFile::write(std::span<const std::byte> bytes) {
  write(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

void OutputFile::flush() {
  if (fd_ < 0) open(false);
  if (pending_.empty()) return;
  std::string held = std::exchange(pending_, {});
  hand_over(held, offset_ - held.size());
  held.clear();
  pending_ = std::move(held);
}

void OutputFile::hand_over(std::string_view bytes, std::uint64_t offset) {
  if (offset < delivered_) {
    const std::uint64_t had = std::min<std::uint64_t>(delivered_ - offset, bytes.size());
    bytes.remove_prefix(static_cast<std::size_t>(had));
    offset += had;
  }
  write_all(fd_, bytes, name_, offset);
}

void OutputFile::skip_delivered(std::uint64_t offset) { delivered_ = offset; }

void OutputFile::sync() {
  if (fd_ < 0 || !regular_) return;
  sync_retrying(fd_, name_);
  if (folder_synced_ || path_ == "-") return;
  // The file's content is of no use while nothing durable says that the file exists.
  sync_folder_of(path_);
  folder_synced_ = true;
}

void OutputFile::resume_at(std::uint64_t offset) {
  pending_.clear();
  offset_ = offset;
  if (path_ != "-") open(true);
  if (!regular_) return;
  struct stat info {};
  if (::fstat(fd_, &info) != 0) throw cannot_write(name_ + ": cannot stat: " + reason());
  if (static_cast<std::uint64_t>(info.st_size) < offset) {
    throw cannot_write(name_ + ": has " + std::to_string(info.st_size) + " bytes, the checkpoint knows of " +
                       std::to_string(offset) +
                       (path_ == "-" ? "; a run is resumed into its file with >> FILE or -o FILE, because > "
                                       "FILE empties it"
                                     : "; it was changed since"));
  }
  int cut = 0;
  do cut = files().ftruncate(fd_, static_cast<off_t>(offset));
  while (cut < 0 && errno == EINTR);
  if (cut != 0 || files().lseek(fd_, static_cast<off_t>(offset), SEEK_SET) < 0) {
    throw cannot_write(name_ + ": cannot cut to byte " + std::to_string(offset) + ": " + reason());
  }
}

void OutputFile::rewrite(std::uint64_t offset, std::string_view bytes) {
  flush();
  const auto seek = [&](std::uint64_t to) {
    if (files().lseek(fd_, static_cast<off_t>(to), SEEK_SET) < 0) {
      throw cannot_write(name_ + ": cannot seek to byte " + std::to_string(to) + ": " + reason());
    }
  };
  seek(offset);
  write_all(fd_, bytes, name_, offset);
  seek(offset_);
}

// --- whole files

void sync_folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const Descriptor opened(open_retrying(folder, O_RDONLY | O_DIRECTORY));
  if (opened.get() < 0 && errno == EACCES) return;
  if (opened.get() < 0) throw cannot_write(folder + ": cannot open: " + reason());
  sync_retrying(opened.get(), folder);
}

void commit_file(const std::string& temporary, const std::string& path) {
  try {
    {
      const Descriptor file(open_retrying(temporary, O_RDONLY));
      if (file.get() < 0) throw cannot_write(temporary + ": cannot open: " + reason());
      sync_retrying(file.get(), temporary);
    }
    if (files().rename(temporary.c_str(), path.c_str()) != 0) {
      throw cannot_write(path + ": cannot rename " + temporary + " over it: " + reason());
    }
  } catch (...) {
    files().unlink(temporary.c_str());
    throw;
  }
  sync_folder_of(path);
}

void write_atomically(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  {
    Descriptor file(open_retrying(temporary, O_WRONLY | O_CREAT | O_TRUNC));
    if (file.get() < 0) throw cannot_write(temporary + ": cannot open for writing: " + reason());
    try {
      write_all(file.get(), bytes, temporary, 0);
      // Interrupted or not, Linux has closed it.
      if (files().close(file.release()) != 0 && errno != EINTR)
        throw cannot_write(temporary + ": cannot close: " + reason());
    } catch (...) {
      files().unlink(temporary.c_str());
      throw;
    }
  }
  commit_file(temporary, path);
}

std::string read_file(const std::string& path, std::uint64_t limit) {
  InputFile in(path);
  std::string out;
  constexpr std::uint64_t kMost = 1 << 20;  // of what the file says of itself
  out.reserve(std::min({in.size(), limit, kMost}));
  std::byte piece[std::size_t{1} << 15];  // on the stack, whose pages are there already
  while (true) {
    const auto [status, size] = in.read(piece);
    if (status != InputFile::Status::kData) return out;
    if (out.size() + size > limit)
      throw bad_data(in.name() + ": is larger than " + std::to_string(limit) + " bytes");
    out.append(reinterpret_cast<const char*>(piece), size);
  }
}

}  // namespace stream
