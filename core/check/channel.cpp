#include "check/channel.hpp"

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "stream/error.hpp"

namespace stream::laws {
namespace {

/// More than any honest outcome; a plugin's process that claims more is not believed.
constexpr std::uint64_t kLargest = std::uint64_t{4} << 30;

bool send_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::send(fd, data, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

bool receive_all(int fd, char* data, std::size_t size, double timeout) {
  while (size > 0) {
    pollfd waiting{fd, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, timeout < 0 ? -1 : static_cast<int>(timeout * 1000));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t n = ::recv(fd, data, size, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

bool send_message(int fd, std::string_view bytes) {
  const std::uint64_t size = bytes.size();
  return send_all(fd, reinterpret_cast<const char*>(&size), sizeof size) &&
         send_all(fd, bytes.data(), bytes.size());
}

std::optional<std::string> receive_message(int fd, double timeout) {
  std::uint64_t size = 0;
  if (!receive_all(fd, reinterpret_cast<char*>(&size), sizeof size, timeout) || size > kLargest) return {};
  // Grown as it comes: the length is only a claim.
  std::string bytes;
  while (bytes.size() < size) {
    const std::size_t at = bytes.size(), piece = std::min<std::uint64_t>(size - at, std::uint64_t{1} << 20);
    bytes.resize(at + piece);
    if (!receive_all(fd, bytes.data() + at, piece, timeout)) return {};
  }
  return bytes;
}

MemoryFile::MemoryFile(const char* name) : fd_(::memfd_create(name, 0)) {
  if (fd_ < 0) throw failed(std::string("no file in memory can be made: ") + std::strerror(errno));
}

MemoryFile::~MemoryFile() { ::close(fd_); }

std::string MemoryFile::read() const { return read_whole(fd_); }
void MemoryFile::write(std::string_view bytes) const { write_whole(fd_, bytes); }

std::string MemoryFile::tail(std::size_t most) const {
  std::string all = read();
  return all.size() > most ? all.substr(all.size() - most) : all;
}

std::string read_whole(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return {};
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t n = ::pread(fd, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    at += static_cast<std::size_t>(n);
  }
  bytes.resize(at);
  return bytes;
}

void write_whole(int fd, std::string_view bytes) {
  if (::ftruncate(fd, 0) != 0) throw failed("a file in memory cannot be emptied");
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t n = ::pwrite(fd, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw failed(std::string("a file in memory cannot be written: ") + std::strerror(errno));
    at += static_cast<std::size_t>(n);
  }
}

}  // namespace stream::laws
