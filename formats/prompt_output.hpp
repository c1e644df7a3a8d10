/// Output that appears at once where somebody may be watching, soon everywhere, and in large pieces.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "stream/file.hpp"

namespace stream {

/// An OutputFile for sinks of small items. What is written after a pause goes out at once, and the rest of a
/// burst when a piece is full, or within 2 ms on a terminal or pipe and half a second in a file (for
/// `tail -f`). A thread, which exists only once it was needed, does both for the bursts, so that the next
/// piece fills while the system takes the last; a third has to wait, so memory is bounded. Nothing of this
/// shows in what a checkpoint covers: resuming cuts a file back to that.
class PromptOutput {
 public:
  explicit PromptOutput(std::string path)
      : file_(std::move(path)),
        patience_(file_.interactive() ? kPipePatience : kFilePatience),
        handed_(file_.offset()) {
    // All the memory there will ever be, at once: what grows later looks like a leak.
    filling_.reserve(kPiece);
    emptying_.reserve(kPiece);
  }
  ~PromptOutput();  ///< what was not flushed may be lost

  /// One item, followed by `terminator`. Throws as OutputFile does, also for what the thread met before.
  void write(std::string_view item, std::string_view terminator);
  /// Hands everything to the operating system.
  void flush();
  void sync() { file_.sync(); }
  void resume_at(std::uint64_t offset);
  /// Bytes written, those included that wait here.
  std::uint64_t offset() const;
  bool irrevocable() const { return file_.irrevocable(); }
  void skip_delivered(std::uint64_t offset) { file_.skip_delivered(offset); }
  const std::string& name() const { return file_.name(); }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kPipePatience{2}, kFilePatience{500};
  static constexpr std::size_t kPiece = std::size_t{256} << 10;
  void start();
  void serve();
  void hand_over(std::unique_lock<std::mutex>& lock);
  void wait_idle(std::unique_lock<std::mutex>& lock);
  void to_file(std::initializer_list<std::string_view> texts, bool flush = false);
  void write_out();

  OutputFile file_;  ///< the thread's while it is busy_, else mutex_'s
  const std::chrono::milliseconds patience_;
  mutable std::mutex mutex_;  ///< guards everything below
  std::condition_variable wake_, idle_;
  std::string filling_;   ///< written, but not handed over
  std::string emptying_;  ///< what the thread writes while it is busy_
  std::uint64_t handed_;  ///< bytes written without those in filling_
  bool armed_ = false;    ///< filling_ is to go out at due_
  bool busy_ = false, ending_ = false;
  Clock::time_point flushed_{}, due_{};
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace stream
