/// Speaks texts for the corpus, as a process of its own: `stream-espeak` reads one request a line from stdin
///
///     voice TAB words-per-minute TAB pitch TAB word-gap TAB text NEWLINE
///
/// and answers on stdout with int32 rate, n samples, m words, then n int16 samples and m pairs (int32 text
/// position, int32 milliseconds); the last pair is the end of the speech (position -1).
///
/// espeak-ng keeps oscillator and flutter state from one utterance to the next and cannot be reset reliably,
/// so each request is spoken by a fresh fork: an utterance depends on its request alone.
#include <espeak-ng/speak_lib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace {
std::vector<short> samples;
std::vector<std::int32_t> words;

int collect(short* wav, int count, espeak_EVENT* events) {
  if (wav) samples.insert(samples.end(), wav, wav + count);
  std::int32_t end = -1;
  for (; events->type != espeakEVENT_LIST_TERMINATED; ++events) {
    if (events->type == espeakEVENT_WORD) {
      words.push_back(events->text_position - 1);
      words.push_back(events->audio_position);
    } else if (events->type == espeakEVENT_END) {
      end = events->audio_position;
    }
  }
  if (end >= 0) words.insert(words.end(), {-1, end});
  return 0;
}

bool write_all(const void* data, std::size_t size) { return std::fwrite(data, 1, size, stdout) == size; }

int speak(const std::string& line) {
  std::istringstream fields(line);
  std::string voice, rate, pitch, gap, text;
  std::getline(fields, voice, '\t');
  std::getline(fields, rate, '\t');
  std::getline(fields, pitch, '\t');
  std::getline(fields, gap, '\t');
  std::getline(fields, text);
  const int hertz = espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 200, nullptr, espeakINITIALIZE_DONT_EXIT);
  if (hertz <= 0) return 2;
  espeak_SetSynthCallback(collect);
  if (espeak_SetVoiceByName(voice.c_str()) != EE_OK) return 3;
  espeak_SetParameter(espeakRATE, std::atoi(rate.c_str()), 0);
  espeak_SetParameter(espeakPITCH, std::atoi(pitch.c_str()), 0);
  espeak_SetParameter(espeakWORDGAP, std::atoi(gap.c_str()), 0);
  if (espeak_Synth(text.c_str(), text.size() + 1, 0, POS_CHARACTER, 0, espeakCHARS_UTF8, nullptr, nullptr) !=
      EE_OK)
    return 4;
  const std::int32_t header[3] = {hertz, static_cast<std::int32_t>(samples.size()),
                                  static_cast<std::int32_t>(words.size() / 2)};
  const bool written =
      write_all(header, sizeof header) && write_all(samples.data(), samples.size() * sizeof(short)) &&
      write_all(words.data(), words.size() * sizeof(std::int32_t)) && std::fflush(stdout) == 0;
  return written ? 0 : 5;
}
}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    const pid_t child = fork();
    if (child < 0) return 1;
    if (child == 0) _exit(speak(line));
    int status = 0;
    if (waitpid(child, &status, 0) != child) return 1;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      // The reader must not wait for samples that will not come: a rate of -code says what failed.
      const std::int32_t header[3] = {WIFEXITED(status) ? -WEXITSTATUS(status) : -100, 0, 0};
      if (!write_all(header, sizeof header) || std::fflush(stdout) != 0) return 1;
    }
  }
}
