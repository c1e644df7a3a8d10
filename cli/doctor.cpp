/// stream doctor: does everything that the program needs work on this machine? Libraries are tried in child
/// processes, so that one that crashes is a finding and not the end.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "engine/engine.hpp"
#include "hdf5/archive_library.hpp"
#include "plans.hpp"
#include "scratch.hpp"
#include "stream/error.hpp"
#include "text.hpp"
#include "verb.hpp"

namespace stream::cli {
namespace {

/// Runs `what` in a child. Empty when it returned; otherwise what it threw, or how the child died.
template <typename F>
std::string fault_in_child(F what) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return "a pipe cannot be made";
  const pid_t child = ::fork();
  if (child < 0) return "a process cannot be made";
  if (child == 0) {
    ::close(ends[0]);
    std::string message;
    try {
      what();
    } catch (const std::exception& e) {
      message = e.what();
    }
    const ssize_t written = ::write(ends[1], message.data(), message.size());
    ::_exit(message.empty() && written == 0 ? 0 : 1);
  }
  ::close(ends[1]);
  std::string message;
  char block[512];
  for (ssize_t n; (n = ::read(ends[0], block, sizeof block)) > 0;)
    message.append(block, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return "crashed with signal " + std::to_string(WTERMSIG(status));
  return WEXITSTATUS(status) == 0 ? ""
         : message.empty()        ? "ended the process with exit code " + std::to_string(WEXITSTATUS(status))
                                  : message;
}

std::string cpu_features() {
  std::string out;
#if defined(__x86_64__)
  const std::pair<const char*, bool> features[] = {{"sse4.2", __builtin_cpu_supports("sse4.2") != 0},
                                                   {"avx2", __builtin_cpu_supports("avx2") != 0},
                                                   {"fma", __builtin_cpu_supports("fma") != 0},
                                                   {"avx512f", __builtin_cpu_supports("avx512f") != 0},
                                                   {"avx512bf16", __builtin_cpu_supports("avx512bf16") != 0}};
  for (const auto& [name, there] : features) out += there ? std::string(out.empty() ? "" : " ") + name : "";
#endif
  return out.empty() ? "no SIMD extensions that are looked for" : out;
}

class Doctor final : public Verb {
 public:
  Doctor()
      : Verb("doctor",
             "Check the installation and the machine; the exit code is 1 when something is wrong.") {
    example("after installing", "stream doctor");
  }

  int run() override {
    Table facts;
    facts.row({"version", "stream " STREAM_VERSION ", plugin interface " + std::to_string(kApiVersion)});
    facts.row({"built with", std::string(plugin_detail::kCompiler) + ", " + plugin_detail::kStdlib});
    facts.row(
        {"processors", std::to_string(std::thread::hardware_concurrency()) + " (" + cpu_features() + ")"});
    for (const ProcessSetting& s : prepare_process())
      facts.row({s.variable, (s.value.empty() ? "not set" : s.value) + ": " + s.reason});
    for (const auto& folder : Registry::default_folders()) {
      facts.row(
          {"plugins in", folder.string() + (std::filesystem::is_directory(folder) ? "" : " (not there)")});
    }
    for (const std::string& folder : recipe_folders()) facts.row({"recipes in", folder});
    facts.row({"share", share_dir()});
    facts.row({"microphone", microphone_hint()});
    print(facts.text() + "\n");
    check_libraries();
    check_plugins();
    check_files();
    print(problems_ == 0 ? "no problem found\n"
                         : std::to_string(problems_) + (problems_ == 1 ? " problem\n" : " problems\n"));
    return problems_ == 0 ? 0 : 1;
  }

 private:
  void finding(const std::string& what, const std::string& fault) {
    print((fault.empty() ? "ok       " : "PROBLEM  ") + what + (fault.empty() ? "" : ": " + fault) + "\n");
    problems_ += fault.empty() ? 0 : 1;
  }
  void check_libraries() {
    finding("engine", fault_in_child([] { engine(); }));
    finding("checkpoints: write, read, lock", fault_in_child([] {
              const ScratchFolder scratch;
              Archive archive;
              archive.set("answer", 42);
              archive_library().write(scratch.file("doctor.h5"), archive);
              if (archive_library().read(scratch.file("doctor.h5")).get<int>("answer") != 42)
                throw failed("an archive reads back wrong");
            }));
  }
  void check_plugins() {
    Registry registry;
    scan_plugins(registry);
    for (const std::string& problem : registry.problems()) finding("manifest", problem);
    if (registry.plugins().empty()) finding("plugins", "none found in the folders above");
    for (const PluginInfo& plugin : registry.plugins()) {
      finding("plugin " + plugin.name, fault_in_child([&registry, &plugin] {
                for (const std::string& name : plugin.operators) registry.find(name);
                for (const std::string& name : plugin.environments) registry.find_environment(name);
                Registry().load(plugin.library);
              }));
    }
  }
  void check_files() {
    finding("temporary files", fault_in_child([] { const ScratchFolder scratch; }));
    finding("share folder", std::filesystem::is_directory(share_dir()) ? "" : share_dir() + " is not there");
  }
  static std::string microphone_hint() {
    for (const char* card : {"/dev/snd/pcmC0D0c", "/dev/snd/pcmC1D0c", "/dev/snd/pcmC2D0c"}) {
      if (::access(card, F_OK) != 0) continue;
      if (::access(card, R_OK) != 0)
        return std::string(card) + " may not be read by this user: add it to group audio";
      return "found; pipe it in: arecord -q -f S16_LE -r 16000 -c 1 | stream run RECIPE";
    }
    return "none on this machine; any program that writes WAV or raw PCM to stdout can feed a recipe";
  }
  int problems_ = 0;
};

}  // namespace

std::unique_ptr<Verb> make_doctor() { return std::make_unique<Doctor>(); }

}  // namespace stream::cli
