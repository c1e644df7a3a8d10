#include "bandits/world_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include "stream/error.hpp"
#include "stream/spec.hpp"

extern char** environ;

namespace stream::bandits {

WorldProcess::WorldProcess(std::string command, Duration patience)
    : command_(std::move(command)), patience_(patience) {
  // A socket instead of pipes: MSG_NOSIGNAL keeps a dead world from ending this process with SIGPIPE.
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw failed(std::string("cannot start the world: ") + std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  char* const argv[] = {const_cast<char*>("sh"), const_cast<char*>("-c"), command_.data(), nullptr};
  const int error = posix_spawn(&process_, "/bin/sh", &actions, nullptr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    throw failed("cannot start the world '" + command_ + "': " + std::strerror(error));
  }
  socket_ = ends[0];
}

WorldProcess::~WorldProcess() {
  using namespace std::chrono_literals;
  shutdown(socket_, SHUT_WR);
  const auto deadline = std::chrono::steady_clock::now() + 2s;
  while (waitpid(process_, nullptr, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) {
      kill(process_, SIGKILL);
      waitpid(process_, nullptr, 0);
      break;
    }
    std::this_thread::sleep_for(1ms);
  }
  close(socket_);
}

void WorldProcess::died(const char* when) { throw failed("the world '" + command_ + "' ended " + when); }

void WorldProcess::send(std::string_view line) {
  std::string bytes(line);
  bytes += '\n';
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::send(socket_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) died("before it took a line");
    done += static_cast<std::size_t>(n);
  }
}

std::string WorldProcess::receive() {
  constexpr std::size_t kLongest = 1 << 20;
  const auto deadline = std::chrono::steady_clock::now() + patience_;
  for (;;) {
    if (const std::size_t end = received_.find('\n'); end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    if (received_.size() > kLongest)
      throw bad_data("the world '" + command_ + "' wrote a line of more than 1 MiB");
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waiting{socket_, POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (ready == 0) throw failed("the world '" + command_ + "' said nothing for " + to_string(patience_));
    char block[4096];
    const ssize_t n = ready < 0 ? -1 : recv(socket_, block, sizeof block, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) died("where an answer was awaited");
    received_.append(block, static_cast<std::size_t>(n));
  }
}

}  // namespace stream::bandits
