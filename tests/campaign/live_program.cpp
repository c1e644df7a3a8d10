#include "live_program.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace stream::campaign {

LiveProgram::LiveProgram(std::vector<std::string> argv, SentAt sent_at) : sent_at_(std::move(sent_at)) {
  ::signal(SIGPIPE, SIG_IGN);
  int to[2], from[2];
  if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "pipe");
  std::vector<char*> arguments;
  for (auto& argument : argv) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) {
    ::dup2(to[0], STDIN_FILENO);
    ::dup2(from[1], STDOUT_FILENO);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(to[0]);
  ::close(from[1]);
  in_ = to[1];
  out_ = from[0];
  reader_ = std::thread([this] { read_output(); });
}

LiveProgram::~LiveProgram() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    wait();
  }
}

void LiveProgram::read_output() {
  std::array<char, 1 << 16> buffer;
  std::string rest;
  for (;;) {
    const ssize_t n = ::read(out_, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    const auto now = Clock::now();
    rest.append(buffer.data(), static_cast<std::size_t>(n));
    const std::scoped_lock lock(mutex_);
    std::size_t at = 0;
    for (std::size_t end; (end = rest.find('\n', at)) != std::string::npos; at = end + 1) {
      if (const auto sent = sent_at_(std::string_view(rest).substr(at, end - at)))
        latencies_.push_back({now, std::chrono::duration<double>(now - *sent).count()});
    }
    rest.erase(0, at);
    output_.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

bool LiveProgram::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(in_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void LiveProgram::end_of_input() {
  if (in_ >= 0) ::close(std::exchange(in_, -1));
}

int LiveProgram::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  end_of_input();
  reader_.join();
  ::close(out_);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::size_t LiveProgram::resident_bytes() const {
  std::ifstream statm("/proc/" + std::to_string(pid_) + "/statm");
  std::size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t LiveProgram::open_files() const {
  std::size_t count = 0;
  std::error_code gone;
  for (std::filesystem::directory_iterator i("/proc/" + std::to_string(pid_) + "/fd", gone), end; i != end;
       i.increment(gone))
    ++count;
  return count;
}

std::vector<LiveProgram::Latency> LiveProgram::latencies() const {
  const std::scoped_lock lock(mutex_);
  return latencies_;
}

std::string LiveProgram::output() const {
  const std::scoped_lock lock(mutex_);
  return output_;
}

}  // namespace stream::campaign
