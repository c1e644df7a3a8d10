/// All contact with files goes through here, so that tests can make every single call fail.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stream/buffer.hpp"

namespace stream {

/// System calls on files. Every member has its namesake's meaning: a negative result and errno on failure.
class FileSystem {
 public:
  virtual ~FileSystem();
  virtual int open(const char* path, int flags, int mode);
  virtual ssize_t read(int fd, void* data, std::size_t size);
  virtual ssize_t write(int fd, const void* data, std::size_t size);
  virtual off_t lseek(int fd, off_t offset, int whence);
  virtual int ftruncate(int fd, off_t size);
  virtual int fsync(int fd);
  virtual int close(int fd);
  virtual int rename(const char* from, const char* to);
  virtual int unlink(const char* path);
};
/// The one in use: the operating system, until a test replaces it.
FileSystem& files();
/// Returns the one before. Not thread-safe: swap before a run starts.
FileSystem* swap_files(FileSystem* replacement);

/// Thrown by OutputFile when the reader of a pipe has gone. It ends the run quietly.
class ClosedPipe : public std::exception {
 public:
  const char* what() const noexcept override { return "the reader of the output has closed it"; }
};

/// A sequential file or stream to read: a path, or "-" for stdin. Reads block until there is something, the
/// end, or `interrupt`. Offsets count from where stdin stood when a file was handed over.
class InputFile {
 public:
  /// Throws Error(kNoInput) that names the path and the system's reason.
  explicit InputFile(std::string path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  enum class Status { kData, kEnd, kInterrupted };
  struct Result {
    Status status;
    std::size_t size;
  };
  /// Up to `into.size()` bytes. Retries EINTR; other failures throw Error(kNoInput) with the offset.
  Result read(std::span<std::byte> into);
  /// Moves to `offset` bytes from the start: seeks in a file; reads and drops on a pipe (as one of the same
  /// bytes fed again). Throws Error(kNoInput) when the input ends before.
  void skip_to(std::uint64_t offset);
  /// Callable from any thread, any number of times: the read that waits now, or else the next one, returns
  /// kInterrupted. Reading may go on after it; nothing is lost.
  void interrupt();
  std::uint64_t offset() const { return offset_; }
  /// Bytes in all when it is a regular file, else 0.
  std::uint64_t size() const { return size_; }
  /// "stdin" or the path, for messages.
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  int fd_ = -1, wake_ = -1;
  bool owned_ = false, regular_ = false;
  std::uint64_t offset_ = 0, size_ = 0;
  std::uint64_t base_ = 0;  ///< where in the file offset 0 lies
};

/// A sequential file or stream to write: a path, or "-" for stdout. Buffered; a regular file is created or
/// emptied at the first write (or at flush), so that building a graph that fails later destroys nothing.
/// stdout that was redirected to a file is written on from where it stands; offsets are positions in that
/// file.
class OutputFile {
 public:
  explicit OutputFile(std::string path);
  ~OutputFile();  ///< closes; what was not flushed is lost
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Throws Error(kCannotWrite) with path, offset and reason; ClosedPipe when a pipe's reader has gone.
  void write(std::string_view bytes);
  void write(std::span<const std::byte> bytes);
  /// Hands everything to the operating system.
  void flush();
  /// fsync of a regular file (the first time also of the folder that names it), nothing otherwise. May run
  /// beside `write` on another thread.
  void sync();
  /// Resumes: opens without emptying and cuts the file to `offset`. Throws Error(kCannotWrite) when it is
  /// shorter than that. On a pipe only the count is set: what was written cannot be taken back.
  void resume_at(std::uint64_t offset);
  /// The reader of a pipe has the first `offset` bytes of the whole output: they are counted, but not written
  /// again. Before the first write.
  void skip_delivered(std::uint64_t offset);
  /// Replaces bytes written before, as a header that names sizes needs once they are known. Only where
  /// `seekable`.
  void rewrite(std::uint64_t offset, std::string_view bytes);
  /// True for a regular file that was named by path.
  bool seekable() const { return regular_ && path_ != "-"; }
  /// True when what was written cannot be taken back: a pipe, a terminal, a socket.
  bool irrevocable() const { return !regular_; }
  /// Bytes written, buffered ones included.
  std::uint64_t offset() const { return offset_; }
  const std::string& name() const { return name_; }
  /// True when output should appear at once: a terminal or a pipe that somebody may be watching.
  bool interactive() const { return interactive_; }

 private:
  void open(bool keep);
  /// Moves `bytes`, which begin at `offset`, to the operating system, but for what the reader has.
  void hand_over(std::string_view bytes, std::uint64_t offset);
  std::string name_, path_;
  std::string pending_;
  int fd_ = -1;
  bool owned_ = false, regular_ = true, interactive_ = false;  // until it is open: what the path names now
  bool folder_synced_ = false;
  std::uint64_t offset_ = 0;
  std::uint64_t delivered_ = 0;  ///< bytes that the reader has from an earlier run
};

/// Writes `bytes` so that after a crash at any instant `path` holds the old content or the new: beside it,
/// synced, renamed over it, folder synced. Throws Error(kCannotWrite); leaves no temporary file behind on
/// failure.
void write_atomically(const std::string& path, std::string_view bytes);
/// The last steps of the same for a file that another library wrote at `temporary`.
void commit_file(const std::string& temporary, const std::string& path);
/// Makes durable which files there are in the folder of `path`, where the system can: a folder that may be
/// written to but not read is left alone. Throws Error(kCannotWrite).
void sync_folder_of(const std::string& path);
/// The whole file, at most `limit` bytes. Throws Error(kNoInput), or Error(kBadData) when it is larger.
std::string read_file(const std::string& path, std::uint64_t limit = std::uint64_t{1} << 30);

}  // namespace stream
