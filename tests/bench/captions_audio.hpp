/// Speech to measure with: the shipped example, repeated.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace stream::bench {

inline constexpr int kSpeechRate = 16'000;  ///< Hz, mono

/// Samples of share/examples/numbers.flac at kSpeechRate, decoded by the program itself.
std::vector<float> example_speech();
/// `seconds` of it, over and over, as a WAV file of 16-bit samples.
void write_speech(const std::string& path, std::size_t seconds);

}  // namespace stream::bench
