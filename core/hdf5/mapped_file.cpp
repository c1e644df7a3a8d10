#include "hdf5/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "stream/file.hpp"

namespace stream {

Buffer map_file(const std::string& path) {
  const int fd = files().open(path.c_str(), O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return {};
  struct stat info {};
  const bool known = ::fstat(fd, &info) == 0 && info.st_size > 0;
  const auto size = known ? static_cast<std::size_t>(info.st_size) : 0;
  // Whoever changes a tensor in place changes a page of its own.
  void* const at =
      known ? ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0) : MAP_FAILED;
  files().close(fd);
  if (at == MAP_FAILED) return {};
  // Keys come back one by one, from anywhere: reading ahead would load what nobody asks for.
  ::madvise(at, size, MADV_RANDOM);
  const std::shared_ptr<const void> owner(at,
                                          [size](const void* p) { ::munmap(const_cast<void*>(p), size); });
  return {owner, static_cast<const std::byte*>(at), size};
}

void let_go(const Buffer& mapped) {
  if (!mapped.empty()) ::madvise(const_cast<std::byte*>(mapped.data()), mapped.size(), MADV_DONTNEED);
}

}  // namespace stream
