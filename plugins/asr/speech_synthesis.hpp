/// A client of the process `stream-espeak`, which speaks texts with libespeak-ng.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace stream::asr {

struct Utterance {
  std::string voice;  ///< espeak's name: "en-us+m3"
  int words_per_minute = 175;
  int pitch = 50;    ///< 0-99
  int word_gap = 0;  ///< units of 10 ms
  std::string text;  ///< one line
};

struct Speech {
  int rate = 0;                ///< samples per second
  std::vector<float> samples;  ///< mono, in [-1, 1]
  struct Word {
    int position;
    double start;
  };                        ///< byte in the text, seconds
  std::vector<Word> words;  ///< in order; position -1 marks the end of a clause
};

/// One process, started when first needed; not for two threads at once.
class SpeechSynthesis {
 public:
  SpeechSynthesis() = default;
  ~SpeechSynthesis();
  SpeechSynthesis(const SpeechSynthesis&) = delete;
  SpeechSynthesis& operator=(const SpeechSynthesis&) = delete;
  /// Depends on the request alone. Throws Error(kFailed) when the process or espeak-ng fails.
  Speech speak(const Utterance& request);

 private:
  void start();
  void read(void* into, std::size_t size);
  pid_t process_ = -1;
  int to_ = -1;
};

}  // namespace stream::asr
