#include "forgetful_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "program/program.hpp"

namespace stream::campaign {
namespace {

struct stat status_of(int fd) {
  struct stat info {};
  ::fstat(fd, &info);
  return info;
}

std::string content_of(int fd) { return testing::contents("/proc/self/fd/" + std::to_string(fd)); }

}  // namespace

ForgetfulFiles::ForgetfulFiles(std::filesystem::path folder, std::size_t at, Loss loss, std::uint64_t seed)
    : folder_(std::move(folder)), at_(at), loss_(loss), random_(seed) {
  names_ = names_now();
  for (const auto& [inode, fd] : held_) content_[inode] = content_of(fd);
}

ForgetfulFiles::Names ForgetfulFiles::names_now() {
  Names names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    const int fd = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    names[entry.path().filename().string()] = status_of(fd).st_ino;
    if (!held_.try_emplace(status_of(fd).st_ino, fd).second) ::close(fd);
  }
  return names;
}

void ForgetfulFiles::follow(int fd) {
  const ino_t inode = status_of(fd).st_ino;
  if (held_.contains(inode) || !S_ISREG(status_of(fd).st_mode)) return;
  held_[inode] = ::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_CLOEXEC);
  content_[inode];  // durable, if at all, as an empty file
}

template <typename Last>
void ForgetfulFiles::count(Last last) {
  if (calls_++ != at_) return;
  last();
  die();
}

int ForgetfulFiles::open(const char* path, int flags, int mode) {
  const std::scoped_lock lock(mutex_);
  if ((flags & O_CREAT) != 0) count([] {});
  const int fd = FileSystem::open(path, flags, mode);
  if (fd >= 0) follow(fd);
  return fd;
}

ssize_t ForgetfulFiles::write(int fd, const void* data, std::size_t size) {
  const std::scoped_lock lock(mutex_);
  count([&] { FileSystem::write(fd, data, random_.below(size + 1)); });
  return FileSystem::write(fd, data, size);
}

int ForgetfulFiles::ftruncate(int fd, off_t size) {
  const std::scoped_lock lock(mutex_);
  count([] {});
  return FileSystem::ftruncate(fd, size);
}

int ForgetfulFiles::fsync(int fd) {
  const std::scoped_lock lock(mutex_);
  count([] {});
  const struct stat info = status_of(fd);
  if (S_ISDIR(info.st_mode))
    names_ = names_now();
  else
    content_[info.st_ino] = content_of(fd);
  return 0;  // what is durable here is decided here
}

int ForgetfulFiles::rename(const char* from, const char* to) {
  const std::scoped_lock lock(mutex_);
  count([] {});
  return FileSystem::rename(from, to);
}

int ForgetfulFiles::unlink(const char* path) {
  const std::scoped_lock lock(mutex_);
  count([] {});
  return FileSystem::unlink(path);
}

void ForgetfulFiles::die() {
  if (loss_ != Loss::kNothing) {
    const auto lost = [&] { return loss_ == Loss::kUnsynced || random_.below(2) == 0; };
    const Names now = names_now();
    Names after;
    Names either = names_;
    either.insert(now.begin(), now.end());
    for (const auto& [name, inode] : either) {
      const Names& chosen = lost() ? names_ : now;
      if (const auto found = chosen.find(name); found != chosen.end()) after[name] = found->second;
    }
    std::map<std::string, std::string> files;
    for (const auto& [name, inode] : after) files[name] = lost() ? content_[inode] : content_of(held_[inode]);
    for (const auto& [name, inode] : now) std::filesystem::remove(folder_ / name);
    for (const auto& [name, content] : files) testing::write_contents(folder_ / name, content);
  }
  ::raise(SIGKILL);
  std::abort();
}

}  // namespace stream::campaign
