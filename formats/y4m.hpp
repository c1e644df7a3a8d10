/// YUV4MPEG2: one header line, then frames of planes, each behind a line of its own. The format is described
/// in yuv4mpeg(5) of mjpegtools; FFmpeg's extensions for more than 8 bits, gray and colour range are
/// understood, and two that are ours and that others pass over: "XMATRIX=", and "XSITING=" where the colour
/// space has no word for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "stream/frame_layout.hpp"
#include "stream/time.hpp"

namespace stream {

struct Rational {
  std::int64_t num = 0, den = 1;
  friend bool operator==(const Rational&, const Rational&) = default;
};
/// "25", "30000/1001" or "25:1"; throws Error(kBadData) unless both are from 1 to 2^31 - 1.
Rational rational(std::string_view text);
/// The frame rate whose period is `period` nanoseconds: whole, or over 1001, where one of these fits to the
/// nanosecond, and the best fraction otherwise.
Rational rate_of(std::int64_t period);
/// The time of frame `index` at that rate, to the nearest nanosecond; exact for every index that fits.
Time time_of(std::int64_t index, Rational rate);

/// "jpeg", "mpeg2", "paldv", or empty for unspecified.
std::string name_of(ChromaSiting siting);
/// The inverse; unspecified for another name.
ChromaSiting chroma_siting(std::string_view name);
/// "p", "t", "b", "m" or "?", as in the header.
char letter_of(FieldOrder fields);
/// The inverse; throws Error(kBadData) for another text.
FieldOrder field_order(std::string_view letter);
/// "16:11", and "0:0" for unknown.
std::string aspect_text(const Sampling& sampling);
/// Sets the aspect of `into`; one side of zero is unknown. Throws Error(kBadData) unless it is such a text.
void set_aspect(std::string_view text, Sampling& into);

struct Y4mHeader {
  FrameLayout layout;
  Rational rate{25, 1};

  static constexpr std::string_view kMagic = "YUV4MPEG2";
  static constexpr std::size_t kMostBytes = 1024;  ///< of a header line, and of a frame's line

  /// Of the header line without its line feed. Throws Error(kBadData) that says what is wrong.
  static Y4mHeader parse(std::string_view line);
  /// The header line, line feed included. 4:2:0 of unspecified siting is "jpeg", as FFmpeg writes it.
  std::string text() const;
};

}  // namespace stream
