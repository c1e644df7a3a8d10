#include "pcm.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "stream/error.hpp"

namespace stream {
namespace {

constexpr struct {
  PcmEncoding encoding;
  const char* name;
  std::size_t size;
} kEncodings[] = {
    {PcmEncoding::kU8, "u8", 1},       {PcmEncoding::kS8, "s8", 1},       {PcmEncoding::kS16Le, "s16le", 2},
    {PcmEncoding::kS16Be, "s16be", 2}, {PcmEncoding::kS24Le, "s24le", 3}, {PcmEncoding::kS24Be, "s24be", 3},
    {PcmEncoding::kS32Le, "s32le", 4}, {PcmEncoding::kS32Be, "s32be", 4}, {PcmEncoding::kF32Le, "f32le", 4},
    {PcmEncoding::kF32Be, "f32be", 4}, {PcmEncoding::kF64Le, "f64le", 8}, {PcmEncoding::kMuLaw, "mulaw", 1},
    {PcmEncoding::kALaw, "alaw", 1},
};

/// An unsigned integer of N bytes, whatever the byte order of the machine.
template <std::size_t N, bool kBig = false>
std::uint64_t bits_at(const char* p) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < N; ++i) {
    value |= std::uint64_t{static_cast<std::uint8_t>(p[i])} << (8 * (kBig ? N - 1 - i : i));
  }
  return value;
}

/// A two's-complement integer of N bytes, scaled to [-1, 1).
template <std::size_t N, bool kBig = false>
float signed_at(const char* p) {
  const auto value =
      static_cast<std::int32_t>(static_cast<std::uint32_t>(bits_at<N, kBig>(p)) << (32 - 8 * N));
  return static_cast<float>(value) * 0x1p-31f;
}

/// ITU-T G.711, to 14 (mu-law) or 13 (A-law) bits, scaled to [-1, 1].
float mu_law(std::uint8_t code) {
  code = static_cast<std::uint8_t>(~code);
  const int magnitude = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4);
  return static_cast<float>(code & 0x80 ? 0x84 - magnitude : magnitude - 0x84) * 0x1p-15f;
}

float a_law(std::uint8_t code) {
  code ^= 0x55;
  const int exponent = (code & 0x70) >> 4, mantissa = (code & 0x0F) << 4;
  const int magnitude = exponent == 0 ? mantissa + 8 : (mantissa + 0x108) << (exponent - 1);
  return static_cast<float>(code & 0x80 ? magnitude : -magnitude) * 0x1p-15f;
}

template <typename Decode>
void each(const char* bytes, std::size_t size, std::span<float> out, Decode decode) {
  for (float& sample : out) {
    sample = decode(bytes);
    bytes += size;
  }
}

}  // namespace

const char* name_of(PcmEncoding encoding) {
  for (const auto& e : kEncodings) {
    if (e.encoding == encoding) return e.name;
  }
  return "?";
}

PcmEncoding pcm_encoding(std::string_view name) {
  for (const auto& e : kEncodings) {
    if (name == e.name) return e.encoding;
  }
  throw bad_data("no sample encoding is called '" + std::string(name) + "'");
}

std::size_t size_of(PcmEncoding encoding) {
  for (const auto& e : kEncodings) {
    if (e.encoding == encoding) return e.size;
  }
  return 0;
}

void decode_pcm(PcmEncoding encoding, const char* bytes, std::span<float> out) {
  const std::size_t size = size_of(encoding);
  switch (encoding) {
    case PcmEncoding::kU8:
      each(bytes, size, out, [](const char* p) {
        return (static_cast<float>(static_cast<std::uint8_t>(*p)) - 128.f) * 0x1p-7f;
      });
      break;
    case PcmEncoding::kS8:
      each(bytes, size, out, signed_at<1>);
      break;
    case PcmEncoding::kS16Le:
      each(bytes, size, out, signed_at<2>);
      break;
    case PcmEncoding::kS16Be:
      each(bytes, size, out, signed_at<2, true>);
      break;
    case PcmEncoding::kS24Le:
      each(bytes, size, out, signed_at<3>);
      break;
    case PcmEncoding::kS24Be:
      each(bytes, size, out, signed_at<3, true>);
      break;
    case PcmEncoding::kS32Le:
      each(bytes, size, out, signed_at<4>);
      break;
    case PcmEncoding::kS32Be:
      each(bytes, size, out, signed_at<4, true>);
      break;
    case PcmEncoding::kF32Le:
      each(bytes, size, out,
           [](const char* p) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits_at<4>(p))); });
      break;
    case PcmEncoding::kF32Be:
      each(bytes, size, out, [](const char* p) {
        return std::bit_cast<float>(static_cast<std::uint32_t>(bits_at<4, true>(p)));
      });
      break;
    case PcmEncoding::kF64Le:
      each(bytes, size, out,
           [](const char* p) { return static_cast<float>(std::bit_cast<double>(bits_at<8>(p))); });
      break;
    case PcmEncoding::kMuLaw:
      each(bytes, size, out, [](const char* p) { return mu_law(static_cast<std::uint8_t>(*p)); });
      break;
    case PcmEncoding::kALaw:
      each(bytes, size, out, [](const char* p) { return a_law(static_cast<std::uint8_t>(*p)); });
      break;
  }
}

std::int32_t quantized(float sample, int bits) {
  const double full = std::ldexp(1.0, bits - 1);
  return static_cast<std::int32_t>(
      std::clamp(std::nearbyint(static_cast<double>(sample) * full), -full, full - 1));
}

void encode_pcm(PcmEncoding encoding, std::span<const float> samples, std::string& out) {
  const std::size_t size = size_of(encoding);
  const std::size_t start = out.size();
  out.resize(start + samples.size() * size);
  char* p = out.data() + start;
  for (const float sample : samples) {
    const std::uint32_t bits =
        encoding == PcmEncoding::kF32Le
            ? std::bit_cast<std::uint32_t>(sample)
            : static_cast<std::uint32_t>(quantized(sample, static_cast<int>(8 * size)));
    for (std::size_t i = 0; i < size; ++i) *p++ = static_cast<char>(bits >> (8 * i));
  }
}

}  // namespace stream
