/// Samples of uncompressed audio as files hold them, to and from floats in [-1, 1].
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace stream {

enum class PcmEncoding : std::uint8_t {
  kU8,
  kS8,
  kS16Le,
  kS16Be,
  kS24Le,
  kS24Be,
  kS32Le,
  kS32Be,
  kF32Le,
  kF32Be,
  kF64Le,
  kMuLaw,
  kALaw
};

/// "u8", "s16le", ..., "mulaw", "alaw".
const char* name_of(PcmEncoding encoding);
/// The inverse of `name_of`; throws Error(kBadData) for anything else.
PcmEncoding pcm_encoding(std::string_view name);
/// Bytes of one sample.
std::size_t size_of(PcmEncoding encoding);
/// Integers of b bits are divided by 2^(b-1). `out.size()` samples are read from `bytes`.
void decode_pcm(PcmEncoding encoding, const char* bytes, std::span<float> out);
/// Appends the samples in s16le, s24le, s32le or f32le: rounded to nearest (ties to even) and, for integers,
/// held within their range. What `decode_pcm` made of integers up to 24 bits comes back unchanged.
void encode_pcm(PcmEncoding encoding, std::span<const float> samples, std::string& out);
/// The integer that `encode_pcm` writes for a sample of `bits` bits.
std::int32_t quantized(float sample, int bits);

}  // namespace stream
