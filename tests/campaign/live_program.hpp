/// A program that is fed and read while it runs, and watched.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace stream::campaign {

class LiveProgram {
 public:
  using Clock = std::chrono::steady_clock;
  /// When what this line answers was sent; nothing when the line says nothing about it.
  using SentAt = std::function<std::optional<Clock::time_point>(std::string_view line)>;

  LiveProgram(std::vector<std::string> argv, SentAt sent_at);
  ~LiveProgram();
  LiveProgram(const LiveProgram&) = delete;
  LiveProgram& operator=(const LiveProgram&) = delete;

  /// False once the program reads no more.
  bool feed(std::string_view bytes);
  void end_of_input();
  /// Waits for its end, however that comes. Returns the exit code as a shell shows it.
  int wait();

  std::size_t resident_bytes() const;
  std::size_t open_files() const;
  struct Latency {
    Clock::time_point at;
    double seconds;
  };
  std::vector<Latency> latencies() const;
  std::string output() const;

 private:
  void read_output();
  int pid_ = -1, in_ = -1, out_ = -1;
  SentAt sent_at_;
  std::thread reader_;
  mutable std::mutex mutex_;
  std::vector<Latency> latencies_;
  std::string output_;
};

}  // namespace stream::campaign
