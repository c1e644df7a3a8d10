/// What happens to clean speech before a microphone hears it. Everything is drawn from the generator that is
/// passed in.
#pragma once

#include <span>
#include <vector>

#include "stream/random.hpp"

namespace stream::asr {

/// `from` to `to` samples per second, whole signal at once (soxr, high quality).
std::vector<float> resample(std::span<const float> samples, double from, double to);

/// Exponentially decaying noise as a room's impulse response (T60 in seconds), direct sound first.
std::vector<float> room_response(double t60, Random& random);
/// The signal in that room, cut to its own length.
std::vector<float> in_room(std::span<const float> samples, std::span<const float> response);

enum class Noise { kWhite, kPink, kTones };
/// n samples of noise of power 1: white; pink (-3 dB an octave); or tones that rise in pitch.
std::vector<float> noise(Noise kind, std::size_t n, Random& random);

/// Mean square.
double power(std::span<const float> samples);

}  // namespace stream::asr
