/// File systems that fail: one call of a run, or all from one on.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>

#include "stream/file.hpp"

namespace stream::campaign {

enum class Call { kOpen, kRead, kWrite, kSeek, kTruncate, kSync, kClose, kRename, kUnlink };
const char* name_of(Call call);

/// What goes wrong with the n-th call of a kind.
struct Fault {
  Call call;
  const char* name;
  int error;             ///< errno; 0: only a part is read or written
  bool lasting = false;  ///< the disk stays full: a part is written, then no write succeeds any more
  /// True when the run must go on as if nothing had happened.
  bool harmless() const;
};

class FaultyFiles final : public FileSystem {
 public:
  FaultyFiles(Fault fault, std::size_t at) : fault_(fault), at_(at) {}
  int open(const char* path, int flags, int mode) override;
  ssize_t read(int fd, void* data, std::size_t size) override;
  ssize_t write(int fd, const void* data, std::size_t size) override;
  off_t lseek(int fd, off_t offset, int whence) override;
  int ftruncate(int fd, off_t size) override;
  int fsync(int fd) override;
  int close(int fd) override;
  int rename(const char* from, const char* to) override;
  int unlink(const char* path) override;

  bool fired() const { return fired_; }
  /// The file that the failed call was about.
  std::string victim() const { return victim_; }

 private:
  /// True when this call is the one that fails.
  bool strikes(Call call, const std::string& path);
  std::string path_of(int fd);

  Fault fault_;
  std::size_t at_, seen_ = 0;
  std::atomic<bool> fired_{false};
  std::mutex mutex_;
  std::map<int, std::string> open_;
  std::string victim_;
};

}  // namespace stream::campaign
