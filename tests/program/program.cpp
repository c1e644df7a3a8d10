#include "program/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace stream::testing {
namespace {

using Clock = std::chrono::steady_clock;

// A sanitizer makes programs so many times slower; tests/CMakeLists.txt gives the tests themselves as much
// more.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kSlower = 10;
#else
constexpr int kSlower = 1;
#endif

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_;
};

std::pair<Descriptor, Descriptor> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Descriptor open_file(const std::string& path, int flags) {
  Descriptor file(::open(path.c_str(), flags | O_CLOEXEC, 0666));
  if (!file.open()) fail(path);
  return file;
}

/// In the child, between fork and exec: system calls only.
[[noreturn]] void become(const char* folder, char* const* argv, char* const* environment,
                         const int (&standard)[3]) {
  for (int i = 0; i < 3; ++i) {
    if (::dup2(standard[i], i) < 0) ::_exit(126);
  }
  if (*folder && ::chdir(folder) != 0) ::_exit(126);
  ::signal(SIGPIPE, SIG_DFL);
  ::execvpe(argv[0], argv, environment);
  ::_exit(127);
}

std::vector<std::string> merged_environment(const std::vector<std::string>& extra) {
  std::vector<std::string> merged = extra;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text(*entry), name = text.substr(0, text.find('=') + 1);
    bool replaced = false;
    for (const std::string& e : extra) replaced = replaced || std::string_view(e).starts_with(name);
    if (!replaced) merged.emplace_back(text);
  }
  return merged;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (std::string& s : strings) result.push_back(s.data());
  result.push_back(nullptr);
  return result;
}

/// Reads what is there into `text`; closes at the end of the pipe.
void drain(Descriptor& from, std::string& text) {
  std::array<char, 1 << 16> buffer;
  const ssize_t n = ::read(from.get(), buffer.data(), buffer.size());
  if (n > 0)
    text.append(buffer.data(), static_cast<std::size_t>(n));
  else if (n == 0 || (errno != EAGAIN && errno != EINTR))
    from.close();
}

/// A program that reads no more has closed its end: the rest of the input is dropped, as a shell pipe would.
void feed(Descriptor& to, const Program& program, std::size_t& written) {
  const std::size_t size = std::min(program.piece, program.input.size() - written);
  const ssize_t n = ::write(to.get(), program.input.data() + written, size);
  if (n > 0)
    written += static_cast<std::size_t>(n);
  else if (errno != EAGAIN && errno != EINTR)
    to.close();
}

double seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
}

}  // namespace

Outcome run(const Program& program) {
  ::signal(SIGPIPE, SIG_IGN);
  auto [child_in, to_child] = make_pipe();
  auto [from_out, child_out] = make_pipe();
  auto [from_err, child_err] = make_pipe();
  if (!program.input_file.empty()) {
    child_in = open_file(program.input_file, O_RDONLY);
    to_child.close();
  }
  if (!program.output_file.empty()) child_out = open_file(program.output_file, O_WRONLY | O_CREAT | O_TRUNC);

  std::vector<std::string> arguments = program.argv, environment = merged_environment(program.environment);
  const std::vector<char*> argv = pointers(arguments), env = pointers(environment);
  const std::string folder = program.folder.string();
  const int standard[3] = {child_in.get(), child_out.get(), child_err.get()};
  const Clock::time_point start = Clock::now();
  const pid_t pid = ::fork();
  if (pid < 0) fail("fork");
  if (pid == 0) become(folder.c_str(), argv.data(), env.data(), standard);
  child_in.close(), child_out.close(), child_err.close();
  for (const Descriptor* d : {&to_child, &from_out, &from_err}) {
    if (d->open()) ::fcntl(d->get(), F_SETFL, O_NONBLOCK);
  }

  Outcome outcome;
  std::size_t written = 0;
  bool told = false;
  while (from_out.open() || from_err.open()) {
    if (to_child.open() && written == program.input.size()) {
      if (!program.when_fed)
        to_child.close();
      else if (!std::exchange(told, true))
        program.when_fed(pid);
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        start + kSlower * program.deadline - Clock::now());
    if (left.count() <= 0) {
      outcome.timed_out = true;
      ::kill(pid, SIGKILL);
      break;
    }
    const bool writing = to_child.open() && written < program.input.size();
    pollfd waiting[3] = {{from_out.get(), POLLIN, 0},
                         {from_err.get(), POLLIN, 0},
                         {writing ? to_child.get() : -1, POLLOUT, 0}};
    if (::poll(waiting, 3, static_cast<int>(left.count())) < 0 && errno != EINTR) fail("poll");
    if (waiting[0].revents) drain(from_out, outcome.out);
    if (waiting[1].revents) drain(from_err, outcome.err);
    if (waiting[2].revents) feed(to_child, program, written);
  }
  int status = 0;
  rusage usage{};
  while (::wait4(pid, &status, 0, &usage) < 0) {
    if (errno != EINTR) fail("wait4");
  }
  outcome.wall_seconds = std::chrono::duration<double>(Clock::now() - start).count();
  outcome.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  outcome.peak_bytes = static_cast<std::size_t>(usage.ru_maxrss) * 1024;
  outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  outcome.exit_code = outcome.signal ? 128 + outcome.signal : WEXITSTATUS(status);
  return outcome;
}

ScratchFolder::ScratchFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "stream-test-XXXXXX").string();
  if (!::mkdtemp(name.data())) fail(name);
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error(file.string() + ": cannot be read");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_contents(const std::filesystem::path& file, std::string_view bytes) {
  std::ofstream out(file, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) throw std::runtime_error(file.string() + ": cannot be written");
}

}  // namespace stream::testing
