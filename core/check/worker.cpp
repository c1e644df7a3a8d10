#include "check/worker.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <new>

#include "check/channel.hpp"
#include "check/jobs.hpp"
#include "check/wire.hpp"
#include "engine/engine.hpp"

namespace stream::laws {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Progress in a file that both sides map.
class SharedProgress {
 public:
  explicit SharedProgress(int fd) {
    void* memory = ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) throw failed("no memory can be shared with the plugin's process");
    progress_ = new (memory) Progress;
  }
  ~SharedProgress() { ::munmap(progress_, sizeof(Progress)); }
  SharedProgress(const SharedProgress&) = delete;
  SharedProgress& operator=(const SharedProgress&) = delete;
  Progress& operator*() const { return *progress_; }
  Progress* operator->() const { return progress_; }

 private:
  Progress* progress_;
};

std::uint64_t resident_of(pid_t pid) {
  unsigned long long total = 0, resident = 0;
  if (std::FILE* file = std::fopen(("/proc/" + std::to_string(pid) + "/statm").c_str(), "r")) {
    if (std::fscanf(file, "%llu %llu", &total, &resident) != 2) resident = 0;  // NOLINT(cert-err34-c)
    std::fclose(file);
  }
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t threads_of_this_process() {
  std::error_code error;
  std::size_t count = 0;
  for (std::filesystem::directory_iterator it("/proc/self/task", error), end; !error && it != end;
       it.increment(error))
    ++count;
#if defined(__SANITIZE_THREAD__)
  --count;  // ThreadSanitizer's own, which survives a fork
#endif
  return std::max<std::size_t>(count, 1);
}

/// What every child does first: no prompts, no core files, no life after its parent.
void become_child(int messages) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGINT, SIG_IGN);  // the one who judges is interrupted, and with it goes this one
  if (const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC); null >= 0) ::dup2(null, STDIN_FILENO);
  ::dup2(messages, STDOUT_FILENO);
  ::dup2(messages, STDERR_FILENO);
}

/// Plays the job, and writes its reply with a mark in front that it is whole.
void play_job(Workbench& bench, std::string_view job, Progress& progress, int reply) {
  std::string bytes;
  try {
    bytes = "+" + do_job(bench, job, progress);
  } catch (...) {
    Writer out;
    out.fault(fault_in_flight(progress));
    bytes = "-" + out.bytes();
  }
  write_whole(reply, bytes);
}

class Worker {
 public:
  Worker(Setup setup, std::vector<std::string> program)
      : bench_(setup), setup_(std::move(setup)), program_(std::move(program)) {
    forks_ = threads_of_this_process() == 1;
  }

  std::string describe() {
    Object description{{"operators", Array(bench_.operators().begin(), bench_.operators().end())}};
    if (setup_.operation.empty()) return Value(std::move(description)).dump();
    Value spec = bench_.spec().to_value();
    const Contract& c = bench_.contract();
    Object contract{{"lookahead", c.lookahead == kUnbounded ? "unbounded" : stream::to_string(c.lookahead)},
                    {"state", stream::name_of(c.state)},
                    {"order", stream::name_of(c.order)},
                    {"cost", c.cost == Cost::kHeavy ? "heavy" : "cheap"},
                    {"grows_with", c.grows_with},
                    {"keyed", c.keyed}};
    spec.object().set("contract", std::move(contract));
    return Value(description.set("spec", std::move(spec))).dump();
  }

  /// The reply to a job, whatever becomes of the child that plays it.
  std::string answer(const std::string& job) {
    if (job.at(0) == static_cast<char>(Job::kGraph)) engine();  // mapped once, not in every child
    const MemoryFile reply("reply"), messages("messages"), shared("progress");
    if (::ftruncate(shared.fd(), sizeof(Progress)) != 0) throw failed("no memory can be shared");
    const SharedProgress progress(shared.fd());
    const pid_t pid =
        forks_ ? fork_child(job, reply, messages, *progress) : start_child(job, reply, messages, shared);
    const auto fault = supervise(pid, *progress, messages);
    std::string bytes = reply.read();
    if (!fault && !bytes.empty()) return bytes;
    Fault lost;
    lost.kind = Fault::Kind::kExit;
    lost.message = "ended its process";
    Writer out;
    out.fault(fault ? *fault : located(lost, *progress));
    return "-" + out.bytes();
  }

 private:
  pid_t fork_child(const std::string& job, const MemoryFile& reply, const MemoryFile& messages,
                   Progress& progress) {
    const pid_t pid = ::fork();
    if (pid < 0) throw failed(std::string("no process can be started: ") + std::strerror(errno));
    if (pid > 0) return pid;
    become_child(messages.fd());
    play_job(bench_, job, progress, reply.fd());
    ::_exit(0);
  }

  pid_t start_child(const std::string& job, const MemoryFile& reply, const MemoryFile& messages,
                    const MemoryFile& shared) {
    Writer whole;
    whole.text(setup_.to_value().dump());
    whole.text(job);
    const MemoryFile file("job");
    file.write(whole.bytes());
    std::vector<std::string> words = program_;
    for (const int fd : {file.fd(), reply.fd(), shared.fd()}) words.push_back(std::to_string(fd));
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid < 0) throw failed(std::string("no process can be started: ") + std::strerror(errno));
    if (pid > 0) return pid;
    become_child(messages.fd());
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }

  static Fault located(Fault fault, const Progress& progress) {
    fault.phase = static_cast<Phase>(progress.phase.load());
    fault.step = progress.step.load();
    return fault;
  }

  /// A call may take as long as the setup says; a whole graph, which does not say how far it is, ten times
  /// that.
  double allowed_seconds(const Progress& progress) const {
    return static_cast<Phase>(progress.phase.load()) == Phase::kGraph ? 10 * setup_.timeout : setup_.timeout;
  }

  /// Waits for the child; kills it when it stands still for too long or takes too much memory.
  std::optional<Fault> supervise(pid_t pid, Progress& progress, const MemoryFile& messages) const {
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    std::uint64_t beats = progress.beats.load();
    double moved = now();
    std::optional<Fault> fault;
    int status = 0;
    for (;;) {
      pollfd waiting{handle, POLLIN, 0};
      ::poll(&waiting, 1, 20);
      if (::waitpid(pid, &status, WNOHANG) == pid) break;
      if (const auto beat = progress.beats.load(); beat != beats) beats = beat, moved = now();
      Fault found;
      const std::uint64_t resident = resident_of(pid);
      if (resident > setup_.memory) {
        found.kind = Fault::Kind::kMemory;
        found.message = "took " + std::to_string(resident >> 20) + " MB of memory";
      } else if (now() - moved > allowed_seconds(progress)) {
        found.kind = Fault::Kind::kHang;
        found.message =
            "did not come back within " + std::to_string(static_cast<int>(setup_.timeout * 1000)) + " ms";
      } else {
        continue;
      }
      fault = located(found, progress);
      ::kill(pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      break;
    }
    if (handle >= 0) ::close(handle);
    if (fault) return fault;
    if (WIFSIGNALED(status)) {
      Fault crash;
      crash.kind = Fault::Kind::kCrash;
      crash.message = std::string("died of ") + (::sigabbrev_np(WTERMSIG(status)) != nullptr
                                                     ? "SIG" + std::string(::sigabbrev_np(WTERMSIG(status)))
                                                     : "signal " + std::to_string(WTERMSIG(status)));
      if (const std::string said = messages.tail(2000); !said.empty()) crash.message += ", saying: " + said;
      return located(crash, progress);
    }
    if (WEXITSTATUS(status) != 0) {
      Fault exited;
      exited.kind = Fault::Kind::kExit;
      exited.message = "ended its process with exit code " + std::to_string(WEXITSTATUS(status));
      if (const std::string said = messages.tail(2000); !said.empty()) exited.message += ", saying: " + said;
      return located(exited, progress);
    }
    return {};
  }

  Workbench bench_;
  Setup setup_;
  std::vector<std::string> program_;
  bool forks_ = true;
};

}  // namespace

int serve_jobs(int socket, const std::vector<std::string>& program) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGINT, SIG_IGN);
  prepare_process();
  const auto setup = receive_message(socket, -1);
  if (!setup) return 1;
  std::unique_ptr<Worker> worker;
  try {
    worker = std::make_unique<Worker>(Setup::from_value(Value::parse(*setup)), program);
    if (!send_message(socket, "+" + worker->describe())) return 0;
  } catch (const std::exception& e) {
    send_message(socket, std::string("-") + e.what());
    return 0;
  }
  while (const auto job = receive_message(socket, -1)) {
    if (!send_message(socket, worker->answer(*job))) break;
  }
  return 0;
}

int serve_one_job(int job, int reply, int progress) {
  prepare_process();
  const std::string bytes = read_whole(job);
  Reader in(bytes);
  const Value setup = Value::parse(in.text());
  Workbench bench(Setup::from_value(setup));
  const SharedProgress shared(progress);
  play_job(bench, in.text(), *shared, reply);
  return 0;
}

}  // namespace stream::laws
