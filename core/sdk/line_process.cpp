#include "stream/line_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "stream/error.hpp"

extern char** environ;

namespace stream {

namespace {
using Clock = std::chrono::steady_clock;
constexpr std::size_t kLongest = std::size_t{16} << 20;

/// Milliseconds until then for poll, rounded up, 0 when it is past.
int until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 3'600'000));
}

/// This process's environment with its own folder behind $PATH: a command that names this program is found
/// where it was neither installed nor put into $PATH.
class Environment {
 public:
  Environment() {
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
      if (std::string_view(*entry).starts_with("PATH="))
        path_ = *entry;
      else
        entries_.push_back(*entry);
    }
    std::error_code missing;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", missing);
    if (path_.empty()) path_ = "PATH=/usr/local/bin:/usr/bin:/bin";
    if (!missing) path_ += ":" + self.parent_path().string();
    entries_.push_back(path_.data());
    entries_.push_back(nullptr);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  char** entries() { return entries_.data(); }

 private:
  std::string path_;
  std::vector<char*> entries_;
};

pid_t spawn(const std::string& command, int socket) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, socket, 0);
  posix_spawn_file_actions_adddup2(&actions, socket, 1);
  // A group of its own, so that all of a pipeline can be ended; and signals as a shell expects them.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, pipe;
  sigemptyset(&none);
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &pipe);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string shell = "/bin/sh", flag = "-c", script = command;
  std::array<char*, 4> argv = {shell.data(), flag.data(), script.data(), nullptr};
  pid_t process = -1;
  Environment environment;
  const int error =
      posix_spawn(&process, shell.c_str(), &actions, &attributes, argv.data(), environment.entries());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw failed("cannot start '" + command + "': " + std::strerror(error));
  return process;
}
}  // namespace

LineProcess::LineProcess(std::string command) : command_(std::move(command)) {
  // A socket instead of pipes: MSG_NOSIGNAL keeps a dead process from ending this one with SIGPIPE.
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw failed("cannot start '" + command_ + "': " + std::strerror(errno));
  socket_ = ends[0];
  try {
    wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_ < 0) throw failed("cannot start '" + command_ + "': " + std::strerror(errno));
    process_ = spawn(command_, ends[1]);
  } catch (...) {
    ::close(ends[0]), ::close(ends[1]);
    if (wake_ >= 0) ::close(wake_);
    throw;
  }
  ::close(ends[1]);
}

LineProcess::~LineProcess() {
  ::shutdown(socket_, SHUT_WR);
  const auto gone = [this](int tries) {
    for (; process_ > 0 && tries > 0; --tries) {
      if (::waitpid(process_, nullptr, WNOHANG) != 0)
        process_ = -1;
      else
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return process_ <= 0;
  };
  if (process_ > 0) {
    const pid_t group = process_;
    if (!gone(20)) ::kill(-group, SIGTERM);
    if (!gone(50)) ::kill(-group, SIGKILL);
    if (process_ > 0) ::waitpid(process_, nullptr, 0);
  }
  ::close(socket_);
  ::close(wake_);
}

void LineProcess::say(std::string line, Clock::time_point deadline) {
  line.push_back('\n');
  std::string_view left = line;
  while (!left.empty()) {
    const ssize_t n = ::send(socket_, left.data(), left.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      left.remove_prefix(static_cast<std::size_t>(n));
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      pollfd ready{socket_, POLLOUT, 0};
      if (until(deadline) == 0) throw failed("'" + command_ + "' does not read what it is sent");
      ::poll(&ready, 1, until(deadline));
    } else if (n < 0 && errno != EINTR) {
      // It may have said something before it went; `hear` tells.
      return;
    }
  }
}

LineProcess::Status LineProcess::hear(std::string& line, Clock::time_point deadline) {
  while (true) {
    const std::size_t end = heard_.find('\n', scanned_);
    if (end != std::string::npos) {
      line.assign(heard_, 0, end);
      heard_.erase(0, end + 1);
      scanned_ = 0;
      return Status::kLine;
    }
    scanned_ = heard_.size();
    if (heard_.size() > kLongest) throw bad_data("'" + command_ + "' wrote a line of more than 16 MiB");
    if (ended_) {
      if (heard_.empty()) return Status::kEnd;
      line = std::exchange(heard_, {});
      scanned_ = 0;
      return Status::kLine;
    }
    std::array<pollfd, 2> ready = {pollfd{socket_, POLLIN, 0}, pollfd{wake_, POLLIN, 0}};
    const int wait = until(deadline), n = ::poll(ready.data(), ready.size(), wait);
    if (n < 0 && errno != EINTR) throw failed("poll: " + std::string(std::strerror(errno)));
    if (n > 0 && (ready[1].revents & POLLIN) != 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto drained = ::read(wake_, &count, sizeof count);
      return Status::kInterrupted;
    }
    if (n > 0 && ready[0].revents != 0) {
      std::array<char, 65536> bytes;
      const ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (got > 0)
        heard_.append(bytes.data(), static_cast<std::size_t>(got));
      else if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        ended_ = true;
    } else if (n == 0 && wait == 0) {
      return Status::kTimeout;
    }
  }
}

void LineProcess::interrupt() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

std::string LineProcess::fate() {
  for (int tries = 0; process_ > 0 && tries < 100; ++tries) {
    int status = 0;
    const pid_t done = ::waitpid(process_, &status, WNOHANG);
    if (done == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      continue;
    }
    process_ = -1;
    if (done < 0) break;
    if (WIFSIGNALED(status))
      return "signal " + std::to_string(WTERMSIG(status)) + " (" + ::strsignal(WTERMSIG(status)) + ")";
    if (WEXITSTATUS(status) != 0) return "exit code " + std::to_string(WEXITSTATUS(status));
  }
  return {};
}

}  // namespace stream
