#include "asr/corpus.hpp"

#include <algorithm>
#include <array>
#include <sstream>

#include "asr/acoustics.hpp"
#include "asr/front_end.hpp"

namespace stream::asr {

std::vector<std::string> voices(Split split) {
  // espeak-ng calls British English plain "en".
  static constexpr std::array kAccents = {"en-us", "en", "en-gb-scotland", "en-gb-x-rp", "en-029"};
  static constexpr std::array kTrain = {"m1", "m2", "m3", "m4", "m5",    "m6",     "m8",
                                        "f1", "f2", "f3", "f5", "croak", "whisper"};
  static constexpr std::array kHeldOut = {"m7", "f4"};
  std::vector<std::string> out;
  const auto add = [&](const auto& variants) {
    for (const char* accent : kAccents)
      for (const char* variant : variants) out.push_back(std::string(accent) + '+' + variant);
  };
  if (split == Split::kTest)
    add(kHeldOut);
  else
    add(kTrain);
  return out;
}

Corpus::Clean Corpus::speak(const std::string& voice, const std::string& text, Random& random) {
  const Utterance request{.voice = voice,
                          .words_per_minute = 120 + static_cast<int>(random.below(111)),
                          .pitch = 20 + static_cast<int>(random.below(61)),
                          .word_gap = static_cast<int>(random.below(4)),
                          .text = text};
  const Speech speech = synthesis_.speak(request);
  Clean out{resample(speech.samples, speech.rate, kRate), {}};
  // espeak-ng may speak two short words as one event; such a word starts where its share of the letters
  // begins.
  double end = static_cast<double>(out.samples.size()) / kRate;
  std::size_t event = 0, at = 0;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    at = text.find(word, at);
    while (event < speech.words.size() && (speech.words[event].position < static_cast<int>(at))) ++event;
    const bool exact = event < speech.words.size() && speech.words[event].position == static_cast<int>(at);
    const double start = exact               ? speech.words[event].start
                         : out.words.empty() ? 0.0
                                             : out.words.back().start + 0.15;
    if (!out.words.empty()) out.words.back().end = std::max(out.words.back().start, start);
    if (word.back() == ',') word.pop_back();
    out.words.push_back({word, start, end});
    at += word.size();
  }
  for (const auto& mark : speech.words)
    if (mark.position < 0) end = mark.start;
  if (!out.words.empty())
    out.words.back().end = std::max(out.words.back().start, std::min(end, out.words.back().end));
  return out;
}

std::vector<float> Corpus::babble(std::size_t n, Random& random) {
  std::vector<float> out(n);
  const auto names = voices(options_.split);
  for (int voice = 0; voice < 4; ++voice) {
    const auto clean =
        speak(names[random.below(names.size())], text_.outside(options_.split, random), random);
    if (clean.samples.empty()) continue;
    const std::size_t offset = random.below(clean.samples.size());
    for (std::size_t i = 0; i < n; ++i) out[i] += clean.samples[(i + offset) % clean.samples.size()];
  }
  const double scale = 1.0 / std::sqrt(power(out) + 1e-20);
  for (auto& s : out) s = static_cast<float>(s * scale);
  return out;
}

SpokenUtterance Corpus::utterance(std::int64_t index) {
  Random random(stable_hash("SpokenText-1/" + std::to_string(static_cast<int>(options_.split)) + '/' +
                            std::to_string(options_.seed) + '/' + std::to_string(index)));
  SpokenUtterance u;
  const auto names = voices(options_.split);
  u.voice = names[random.below(names.size())];
  u.outside = random.uniform() < options_.outside;
  std::string text;
  if (u.outside) {
    text = text_.outside(options_.split, random);
  } else {
    const double parts = random.uniform();
    text = text_.draw(options_.split, random);
    for (double next = 0.8; parts >= next && next < 1.0; next += 0.15)
      text += ", " + text_.draw(options_.split, random);
  }
  Clean clean = speak(u.voice, text, random);

  const auto before = static_cast<std::size_t>(random.uniform(0.1, 0.6) * kRate);
  const auto after = static_cast<std::size_t>(random.uniform(0.2, 0.7) * kRate);
  std::vector<float> x(before + clean.samples.size() + after);
  std::copy(clean.samples.begin(), clean.samples.end(), x.begin() + static_cast<std::ptrdiff_t>(before));
  u.words = std::move(clean.words);
  for (auto& word : u.words)
    word.start += static_cast<double>(before) / kRate, word.end += static_cast<double>(before) / kRate;

  if (random.uniform() < 0.5) x = in_room(x, room_response(random.uniform(0.1, 0.5), random));
  const std::span<const float> spoken(x.data() + before, clean.samples.size());
  const double level = std::sqrt(power(spoken) + 1e-12);
  static constexpr std::array kNoises = {"white", "pink", "babble", "tones"};
  const auto kind = random.below(kNoises.size());
  u.noise = kNoises[kind];
  u.snr = random.uniform(options_.snr_low, options_.snr_high);
  const auto added = kind == 2 ? babble(x.size(), random)
                               : noise(kind == 0   ? Noise::kWhite
                                       : kind == 1 ? Noise::kPink
                                                   : Noise::kTones,
                                       x.size(), random);
  const double noise_level = level * std::pow(10.0, -u.snr / 20);
  const double gain = std::pow(10.0, random.uniform(-30, -12) / 20) / level;
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(std::clamp((x[i] + noise_level * added[i]) * gain, -1.0, 1.0));
  if (random.uniform() < 0.2) {
    const std::size_t n = x.size();
    x = resample(resample(x, kRate, kRate / 2.0), kRate / 2.0, kRate);
    x.resize(n);
  }
  u.samples = std::move(x);
  return u;
}

}  // namespace stream::asr
