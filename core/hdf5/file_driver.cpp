/// A virtual file driver (HDF5's VFL): one descriptor, whose position is remembered so that only jumps cost a
/// call of their own.
///
/// HDF5 is not told when writing fails. It would try again while it closes datasets, keep the file open when
/// closing it fails, and write to it once more as the process ends, long after the descriptor has gone. So
/// the failure is noted, what comes after it goes nowhere, and whoever wrote the file asks
/// `take_file_failure`.
#include "hdf5/file_driver.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "stream/file.hpp"

namespace stream {
namespace {

thread_local std::string failure;

/// HDF5 hands the base around and gives it back to the functions below.
struct DriverFile {
  H5FD_t base;  // first: HDF5 knows the file by its address
  int fd;
  haddr_t allocated, size;
  haddr_t position;  ///< of the descriptor; kUnknown after a failure
  bool lost;         ///< writing has failed
};
constexpr haddr_t kUnknown = HADDR_UNDEF;
constexpr haddr_t kLargest = std::numeric_limits<off_t>::max();

void note(const std::string& what) { failure = what + ": " + std::strerror(errno); }
void note_at(const char* what, haddr_t at) { note(what + (" at byte " + std::to_string(at))); }

DriverFile& file_of(H5FD_t* base) { return *reinterpret_cast<DriverFile*>(base); }
const DriverFile& file_of(const H5FD_t* base) { return *reinterpret_cast<const DriverFile*>(base); }

H5FD_t* open_file(const char* name, unsigned flags, hid_t, haddr_t) {
  const int mode = ((flags & H5F_ACC_RDWR) != 0 ? O_RDWR : O_RDONLY) |
                   ((flags & H5F_ACC_CREAT) != 0 ? O_CREAT : 0) |
                   ((flags & H5F_ACC_TRUNC) != 0 ? O_TRUNC : 0) | ((flags & H5F_ACC_EXCL) != 0 ? O_EXCL : 0);
  int fd = -1;
  do fd = files().open(name, mode | O_CLOEXEC, 0666);
  while (fd < 0 && errno == EINTR);
  struct stat info {};
  if (fd < 0 || ::fstat(fd, &info) != 0) {
    note("cannot open");
    if (fd >= 0) files().close(fd);
    return nullptr;
  }
  auto file = std::make_unique<DriverFile>();
  file->fd = fd;
  file->size = static_cast<haddr_t>(info.st_size);
  return &file.release()->base;
}

herr_t close_file(H5FD_t* base) {
  const std::unique_ptr<DriverFile> file(&file_of(base));
  // Interrupted or not, Linux has closed it.
  if (files().close(file->fd) != 0 && errno != EINTR) note("cannot close");
  return 0;
}

bool move_to(DriverFile& file, haddr_t at) {
  if (file.position == at) return true;
  const bool moved = files().lseek(file.fd, static_cast<off_t>(at), SEEK_SET) >= 0;
  file.position = moved ? at : kUnknown;
  return moved;
}

herr_t read_file(H5FD_t* base, H5FD_mem_t, hid_t, haddr_t at, size_t size, void* data) {
  DriverFile& file = file_of(base);
  // No file has such a place: what has been read so far names it, and the system is not to blame.
  if (at > kLargest) return -1;
  if (!move_to(file, at)) {
    note_at("cannot seek", at);
    return -1;
  }
  auto* to = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t n = files().read(file.fd, to, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      note_at("cannot read", std::exchange(file.position, kUnknown));
      return -1;
    }
    if (n == 0) {  // HDF5 may ask beyond the end, and expects zeros from there
      std::memset(to, 0, size);
      break;
    }
    to += n;
    size -= static_cast<size_t>(n);
    file.position += static_cast<haddr_t>(n);
  }
  return 0;
}

herr_t write_file(H5FD_t* base, H5FD_mem_t, hid_t, haddr_t at, size_t size, const void* data) {
  DriverFile& file = file_of(base);
  if (!file.lost && !move_to(file, at)) {
    note_at("cannot seek", at);
    file.lost = true;
  }
  if (file.lost) {
    file.size = std::max(file.size, at + size);
    return 0;
  }
  const auto* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = files().write(file.fd, from, size);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) errno = ENOSPC;
    if (n <= 0) {
      note_at("cannot write", std::exchange(file.position, kUnknown));
      file.lost = true;
      return 0;
    }
    from += n;
    size -= static_cast<size_t>(n);
    file.position += static_cast<haddr_t>(n);
  }
  file.size = std::max(file.size, file.position);
  return 0;
}

/// Gives the file the size that HDF5 has allocated.
herr_t truncate_file(H5FD_t* base, hid_t, hbool_t) {
  DriverFile& file = file_of(base);
  if (file.allocated == file.size || file.lost) return 0;
  int result = 0;
  do result = files().ftruncate(file.fd, static_cast<off_t>(file.allocated));
  while (result < 0 && errno == EINTR);
  if (result != 0) {
    note_at("cannot be cut or extended", file.allocated);
    file.lost = true;
  }
  file.size = file.allocated;
  return 0;
}

haddr_t allocated(const H5FD_t* base, H5FD_mem_t) { return file_of(base).allocated; }
herr_t set_allocated(H5FD_t* base, H5FD_mem_t, haddr_t to) {
  file_of(base).allocated = to;
  return 0;
}
haddr_t size_of_file(const H5FD_t* base, H5FD_mem_t) { return file_of(base).size; }

/// Every open is a file of its own: we never open one twice at a time.
int compare(const H5FD_t* a, const H5FD_t* b) { return a < b ? -1 : a > b ? 1 : 0; }

herr_t features(const H5FD_t*, unsigned long* flags) {
  if (flags != nullptr)
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA;
  return 0;
}

H5FD_class_t driver() {
  H5FD_class_t d{};
#if H5_VERSION_GE(1, 13, 2)
  d.version = H5FD_CLASS_VERSION;
  d.value = static_cast<H5FD_class_value_t>(H5_VFD_RESERVED + 21);
#endif
  d.name = "stream";
  d.maxaddr = kLargest;
  d.fc_degree = H5F_CLOSE_STRONG;
  d.open = open_file;
  d.close = close_file;
  d.cmp = compare;
  d.query = features;
  d.get_eoa = allocated;
  d.set_eoa = set_allocated;
  d.get_eof = size_of_file;
  d.read = read_file;
  d.write = write_file;
  d.truncate = truncate_file;
  const H5FD_mem_t one_kind[] = H5FD_FLMAP_DICHOTOMY;
  std::copy(std::begin(one_kind), std::end(one_kind), d.fl_map);
  return d;
}

}  // namespace

bool use_stream_files(hid_t access) {
  static const H5FD_class_t description = driver();
  static const hid_t registered = H5FDregister(&description);
  return registered >= 0 && H5Pset_driver(access, registered, nullptr) >= 0;
}

std::string take_file_failure() { return std::exchange(failure, {}); }

}  // namespace stream
