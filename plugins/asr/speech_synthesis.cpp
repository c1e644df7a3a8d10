#include "asr/speech_synthesis.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "stream/error.hpp"

extern char** environ;

namespace stream::asr {

namespace {
/// The program lies beside the library that this function is part of, or where the tests' build says.
std::string program() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&program), &info) && info.dli_fname) {
    const std::string self = info.dli_fname;
    const auto slash = self.rfind('/');
    std::string beside =
        (slash == std::string::npos ? std::string(".") : self.substr(0, slash)) + "/stream-espeak";
    if (access(beside.c_str(), X_OK) == 0) return beside;
  }
#ifdef STREAM_ESPEAK_PROGRAM
  return STREAM_ESPEAK_PROGRAM;
#else
  throw failed("the program stream-espeak is missing beside the asr plugin");
#endif
}
}  // namespace

SpeechSynthesis::~SpeechSynthesis() {
  if (to_ >= 0) close(to_);
  if (process_ > 0) waitpid(process_, nullptr, 0);
}

void SpeechSynthesis::start() {
  // A socket instead of a pipe: MSG_NOSIGNAL keeps a dead process from ending this one with SIGPIPE.
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw failed(std::string("cannot start the speech synthesiser: ") + std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  const std::string path = program();
  char* const argv[] = {const_cast<char*>(path.c_str()), nullptr};
  const int error = posix_spawn(&process_, path.c_str(), &actions, nullptr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    process_ = -1;
    throw failed("cannot start " + path + ": " + std::strerror(error));
  }
  to_ = ends[0];
}

void SpeechSynthesis::read(void* into, std::size_t size) {
  auto* at = static_cast<char*>(into);
  while (size > 0) {
    const ssize_t got = recv(to_, at, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw failed("the speech synthesiser (stream-espeak) ended unexpectedly");
    at += got, size -= static_cast<std::size_t>(got);
  }
}

Speech SpeechSynthesis::speak(const Utterance& u) {
  if (process_ < 0) start();
  std::string line = u.voice + '\t' + std::to_string(u.words_per_minute) + '\t' + std::to_string(u.pitch) +
                     '\t' + std::to_string(u.word_gap) + '\t' + u.text + '\n';
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t n = send(to_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw failed("the speech synthesiser (stream-espeak) ended unexpectedly");
    sent += static_cast<std::size_t>(n);
  }
  std::int32_t header[3];
  read(header, sizeof header);
  if (header[0] <= 0)
    throw failed("espeak-ng could not speak '" + u.text + "' with the voice '" + u.voice + "' (step " +
                 std::to_string(-header[0]) + "); are its data files installed?");
  if (header[1] < 0 || header[1] > header[0] * 600 || header[2] < 0 || header[2] > 100000)
    throw failed("the speech synthesiser (stream-espeak) answered nonsense");
  std::vector<std::int16_t> pcm(static_cast<std::size_t>(header[1]));
  std::vector<std::int32_t> events(2 * static_cast<std::size_t>(header[2]));
  read(pcm.data(), pcm.size() * sizeof pcm[0]);
  read(events.data(), events.size() * sizeof events[0]);
  Speech out{.rate = header[0], .samples = {}, .words = {}};
  out.samples.reserve(pcm.size());
  for (const std::int16_t s : pcm) out.samples.push_back(static_cast<float>(s) / 32768.0f);
  for (std::size_t i = 0; i + 1 < events.size(); i += 2)
    out.words.push_back({events[i], events[i + 1] / 1000.0});
  return out;
}

}  // namespace stream::asr
