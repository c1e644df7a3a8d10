/// A file system that loses its power: at one call the process dies, and with it what was never synced.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <string>

#include "stream/file.hpp"
#include "stream/random.hpp"

namespace stream::campaign {

/// Follows the files of one folder. Content is durable once the file was synced, names once the folder was.
class ForgetfulFiles final : public FileSystem {
 public:
  enum class Loss {
    kNothing,   ///< the process dies, the machine goes on
    kUnsynced,  ///< everything that was not synced
    kSome,      ///< of what was not synced, file by file and name by name, by chance
  };
  /// Dies at call number `at` of those that change something, in the middle of it when it writes.
  ForgetfulFiles(std::filesystem::path folder, std::size_t at, Loss loss, std::uint64_t seed);

  int open(const char* path, int flags, int mode) override;
  ssize_t write(int fd, const void* data, std::size_t size) override;
  int ftruncate(int fd, off_t size) override;
  int fsync(int fd) override;
  int rename(const char* from, const char* to) override;
  int unlink(const char* path) override;

  std::size_t calls() const { return calls_; }

 private:
  using Names = std::map<std::string, ino_t>;
  Names names_now();
  void follow(int fd);
  /// Counts; dies when it is time, after `last` was done.
  template <typename Last>
  void count(Last last);
  [[noreturn]] void die();

  std::filesystem::path folder_;
  std::size_t at_, calls_ = 0;
  Loss loss_;
  Random random_;
  std::recursive_mutex mutex_;
  std::map<ino_t, std::string> content_;  ///< that is durable
  std::map<ino_t, int> held_;             ///< descriptors that keep inode numbers from being used again
  Names names_;                           ///< that are durable
};

}  // namespace stream::campaign
