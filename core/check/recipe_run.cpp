#include "check/recipe_run.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>

#include "check/channel.hpp"
#include "check/fed_pipe.hpp"
#include "stream/error.hpp"

extern char** environ;

namespace stream::laws {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

pid_t start(const std::vector<std::string>& words, int input, int messages) {
  std::vector<std::string> copies = words;
  std::vector<char*> argv;
  argv.reserve(copies.size() + 1);
  for (std::string& word : copies) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (input >= 0)
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  else
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, messages, STDERR_FILENO);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw failed(words[0] + ": " + std::strerror(error));
  return pid;
}

}  // namespace

RecipeEnd run_recipe(const RecipeRun& run) {
  const MemoryFile messages("messages");
  std::unique_ptr<FedPipe> pipe;
  if (run.piped != nullptr)
    pipe = std::make_unique<FedPipe>(run.piped->bytes, run.piped->most, run.piped->seed);
  const double begun = now();
  const pid_t pid = start(run.words, pipe ? pipe->reader() : -1, messages.fd());
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  RecipeEnd end;
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) != pid) {
    const double passed = now() - begun;
    end.killed = run.kill_after && passed >= *run.kill_after;
    end.timed_out = passed >= run.timeout;
    if (end.killed || end.timed_out) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      break;
    }
    const double left = std::min(run.timeout, run.kill_after.value_or(run.timeout)) - passed;
    pollfd waiting{handle, POLLIN, 0};
    ::poll(&waiting, 1, std::clamp(static_cast<int>(left * 1000) + 1, 1, 50));
  }
  if (handle >= 0) ::close(handle);
  end.seconds = now() - begun;
  end.said = messages.tail(1000);
  if (WIFSIGNALED(status))
    end.signal = WTERMSIG(status);
  else
    end.exit_code = WEXITSTATUS(status);
  return end;
}

}  // namespace stream::laws
