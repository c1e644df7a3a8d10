/// Output that appears at once where somebody may be watching, soon everywhere, and in large pieces.
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

/// An OutputFile for sinks of small items. What is written after a pause goes out at once, and the rest of a
/// burst when the buffer is full, or within 2 ms on a terminal or pipe and half a second in a file (for
/// `tail -f`), through a thread that exists only once it was needed. Nothing of this shows in what a
/// checkpoint covers: resuming cuts a file back to that.
class PromptOutput {
 public:
  explicit PromptOutput(std::string path)
      : file_(std::move(path)), patience_(file_.interactive() ? kPipePatience : kFilePatience) {}
  ~PromptOutput();

  /// One item, followed by `terminator`. Throws as OutputFile does, also for what the flushing thread met
  /// before.
  void write(std::string_view item, std::string_view terminator);
  void flush();
  void sync() { file_.sync(); }
  void resume_at(std::uint64_t offset) { file_.resume_at(offset); }
  std::uint64_t offset() const { return file_.offset(); }
  bool irrevocable() const { return file_.irrevocable(); }
  void skip_delivered(std::uint64_t offset) { file_.skip_delivered(offset); }
  const std::string& name() const { return file_.name(); }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kPipePatience{2}, kFilePatience{500};
  void flush_later();

  OutputFile file_;
  const std::chrono::milliseconds patience_;
  std::mutex mutex_;  ///< guards file_ and everything below
  std::condition_variable wake_;
  bool armed_ = false, ending_ = false;
  Clock::time_point flushed_{};
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace stream
