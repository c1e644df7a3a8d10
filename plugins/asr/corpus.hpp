/// "SpokenText-1": speech with known words, any amount of it, each utterance fixed by (seed, split, index).
#pragma once

#include <string>
#include <vector>

#include "asr/speech_synthesis.hpp"
#include "asr/spoken_text.hpp"

namespace stream::asr {

struct SpokenWord {
  std::string text;
  double start, end;  ///< seconds from the start of the utterance
};

struct SpokenUtterance {
  std::vector<float> samples;  ///< 16 kHz mono
  std::vector<SpokenWord> words;
  std::string voice;
  std::string noise;     ///< "white", "pink", "babble" or "tones"
  double snr = 0;        ///< dB, speech against noise where there is speech
  bool outside = false;  ///< English outside of the vocabulary
};

struct CorpusOptions {
  std::uint64_t seed = 0;
  Split split = Split::kTrain;
  double snr_low = 0, snr_high = 20;  ///< dB
  double outside = 0.2;               ///< share of utterances outside the vocabulary
};

/// Voices of the split. A test speaker's variant (its vocal tract) is in no training voice, in whatever
/// accent.
std::vector<std::string> voices(Split split);

class Corpus {
 public:
  explicit Corpus(CorpusOptions options) : options_(options) {}
  SpokenUtterance utterance(std::int64_t index);

 private:
  struct Clean {
    std::vector<float> samples;
    std::vector<SpokenWord> words;
  };
  Clean speak(const std::string& voice, const std::string& text, Random& random);
  std::vector<float> babble(std::size_t n, Random& random);
  CorpusOptions options_;
  SpokenText text_;
  SpeechSynthesis synthesis_;
};

}  // namespace stream::asr
