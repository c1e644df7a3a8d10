#include "check/fed_pipe.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "stream/error.hpp"
#include "stream/random.hpp"

namespace stream::laws {

FedPipe::FedPipe(std::string bytes, std::size_t most, std::uint64_t seed, bool ends, bool slow)
    : closes_(ends) {
  std::signal(SIGPIPE, SIG_IGN);
  if (::pipe2(ends_, O_CLOEXEC) != 0) throw failed("no pipe can be made");
  writer_ = std::thread([this, bytes = std::move(bytes), most, seed, slow] {
    constexpr std::size_t kSmallPieces = 1000, kLargePiece = 8192;
    Random random(seed);
    std::size_t pieces = 0;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t largest = slow || pieces++ < kSmallPieces ? most : std::max(most, kLargePiece);
      const std::size_t piece = std::min<std::size_t>(bytes.size() - at, 1 + random.below(largest));
      const ssize_t n = ::write(ends_[1], bytes.data() + at, piece);
      if (n <= 0) break;
      at += static_cast<std::size_t>(n);
      if (slow)
        wait_until_read();
      else if (random.below(4) == 0)
        std::this_thread::yield();  // lets the reader see it alone, now and then
    }
    if (closes_) ::close(ends_[1]);
  });
}

/// Returns at once when nobody will read any more.
void FedPipe::wait_until_read() const {
  int unread = 0;
  while (!stopped_ && ::ioctl(ends_[1], FIONREAD, &unread) == 0 && unread > 0)
    std::this_thread::sleep_for(std::chrono::microseconds(20));
}

FedPipe::~FedPipe() {
  stopped_ = true;
  ::close(ends_[0]);
  writer_.join();
  if (!closes_) ::close(ends_[1]);
}

ScratchFile::ScratchFile(std::string_view bytes, const std::string& ending, const std::string& folder) {
  const std::filesystem::path in =
      folder.empty() ? std::filesystem::temp_directory_path() : std::filesystem::path(folder);
  std::string name = (in / "stream-XXXXXX").string() + ending;
  const int fd = ::mkstemps(name.data(), static_cast<int>(ending.size()));
  if (fd < 0) throw cannot_write(name + ": a temporary file cannot be made");
  ::close(fd);
  path_ = name;
  write(bytes);
}

ScratchFile::~ScratchFile() { std::remove(path_.c_str()); }

void ScratchFile::write(std::string_view bytes) const {
  std::ofstream(path_, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::string ScratchFile::read() const {
  std::ifstream in(path_, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace stream::laws
