/// YUV4MPEG2: one header line, then frames of planes, each behind a line of its own. The format is described
/// in yuv4mpeg(5) of mjpegtools; FFmpeg's extensions for more than 8 bits, gray and colour range are
/// understood, and "XMATRIX=", which is ours and which others pass over.
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

struct Y4mHeader {
  FrameLayout layout;
  Rational rate{25, 1};
  std::string interlacing = "p";  ///< the I parameter: p, t, b, m or ?
  std::string aspect = "0:0";     ///< of a pixel; 0:0 is unknown
  std::string siting = "jpeg";    ///< of 4:2:0 chroma with 8 bits: jpeg, mpeg2 or paldv

  static constexpr std::string_view kMagic = "YUV4MPEG2";
  static constexpr std::size_t kMostBytes = 1024;  ///< of a header line, and of a frame's line

  /// Of the header line without its line feed. Throws Error(kBadData) that says what is wrong.
  static Y4mHeader parse(std::string_view line);
  /// The header line, line feed included.
  std::string text() const;
};

}  // namespace stream
