/// Whole messages over a socket or a file in memory.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stream::laws {

/// False when the other side has gone.
bool send_message(int fd, std::string_view bytes);
/// None when the other side has gone (or sends nonsense), or after `timeout` seconds without a byte.
std::optional<std::string> receive_message(int fd, double timeout);

/// A file that lies in memory and is shared with children.
class MemoryFile {
 public:
  explicit MemoryFile(const char* name);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  int fd() const { return fd_; }
  std::string read() const;
  void write(std::string_view bytes) const;
  /// Its last `most` bytes.
  std::string tail(std::size_t most) const;

 private:
  int fd_;
};

/// Everything of a file by descriptor, from its start.
std::string read_whole(int fd);
void write_whole(int fd, std::string_view bytes);

}  // namespace stream::laws
