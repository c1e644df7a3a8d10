/// Output that appears at once where somebody may be watching, and in large pieces everywhere.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string_view>
#include <thread>

#include "stream/file.hpp"

namespace stream {

/// An OutputFile for sinks of small items. On a terminal or pipe, what is written after a pause goes out at
/// once, and the rest of a burst within `kPatience`, through a thread that exists only once it was needed. On
/// files nothing is flushed before the buffer is full or `flush` is called.
class PromptOutput {
 public:
  static constexpr std::chrono::milliseconds kPatience{2};

  explicit PromptOutput(std::string path) : file_(std::move(path)) {}
  ~PromptOutput();

  /// One item, followed by `terminator`. Throws as OutputFile does, also for what the flushing thread met
  /// before.
  void write(std::string_view item, std::string_view terminator) {
    if (!file_.interactive()) {
      file_.write(item);
      if (!terminator.empty()) file_.write(terminator);
    } else {
      write_promptly(item, terminator);
    }
  }
  void flush();
  void sync() { file_.sync(); }
  void resume_at(std::uint64_t offset) { file_.resume_at(offset); }
  std::uint64_t offset() const { return file_.offset(); }
  const std::string& name() const { return file_.name(); }

 private:
  using Clock = std::chrono::steady_clock;
  void write_promptly(std::string_view item, std::string_view terminator);
  void flush_later();

  OutputFile file_;
  std::mutex mutex_;  ///< guards everything below, and an interactive file_
  std::condition_variable wake_;
  bool armed_ = false, ending_ = false;
  Clock::time_point flushed_{};
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace stream
