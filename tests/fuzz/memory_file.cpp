#include <sys/mman.h>
#include <unistd.h>

#include <stdexcept>

#include "target.hpp"

namespace stream::fuzz {

MemoryFile::MemoryFile(Bytes bytes) : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {
  if (fd_ < 0 || ::write(fd_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    throw std::runtime_error("memfd");
}
MemoryFile::~MemoryFile() { ::close(fd_); }

}  // namespace stream::fuzz
