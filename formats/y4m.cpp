#include "y4m.hpp"

#include <charconv>
#include <cmath>
#include <numeric>
#include <utility>

#include "stream/error.hpp"

namespace stream {
namespace {

/// In the order of FieldOrder.
constexpr std::string_view kFieldLetters = "?ptbm";
constexpr std::int64_t kNano = 1'000'000'000;

std::int64_t number(std::string_view text, const char* what) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw bad_data("'" + std::string(text.substr(0, 40)) + "' is no " + what);
  return value;
}

struct Chroma {
  std::string_view name;
  PixelFormat format;
  int bits;
  ChromaSiting siting;
};
constexpr Chroma kChroma[] = {
    {"420jpeg", PixelFormat::kYuv420, 8, ChromaSiting::kCentre},
    {"420mpeg2", PixelFormat::kYuv420, 8, ChromaSiting::kLeft},
    {"420paldv", PixelFormat::kYuv420, 8, ChromaSiting::kTopLeft},
    {"420", PixelFormat::kYuv420, 8, ChromaSiting::kCentre},
    {"422", PixelFormat::kYuv422, 8, ChromaSiting::kUnspecified},
    {"444", PixelFormat::kYuv444, 8, ChromaSiting::kUnspecified},
    {"mono", PixelFormat::kGray, 8, ChromaSiting::kUnspecified},
};

/// "420p10" and so on, and "mono10".
bool deep_chroma(std::string_view name, FrameLayout& into) {
  struct Prefix {
    std::string_view name;
    PixelFormat format;
  };
  constexpr Prefix kDeep[] = {{"420p", PixelFormat::kYuv420},
                              {"422p", PixelFormat::kYuv422},
                              {"444p", PixelFormat::kYuv444},
                              {"mono", PixelFormat::kGray}};
  for (const Prefix& prefix : kDeep) {
    if (!name.starts_with(prefix.name)) continue;
    for (int bits = 9; bits <= 16; ++bits) {
      if (name.substr(prefix.name.size()) != std::to_string(bits)) continue;
      into.format = prefix.format;
      into.bits = bits;
      return true;
    }
  }
  return false;
}

void set_chroma(std::string_view name, Y4mHeader& header) {
  for (const Chroma& chroma : kChroma) {
    if (name != chroma.name) continue;
    header.layout.format = chroma.format;
    header.layout.bits = chroma.bits;
    if (chroma.siting != ChromaSiting::kUnspecified) header.layout.sampling.siting = chroma.siting;
    return;
  }
  if (!deep_chroma(name, header.layout))
    throw bad_data(
        "colour space 'C" + std::string(name.substr(0, 40)) +
        "' is not known: expected C420jpeg, C420mpeg2, C420paldv, C422, C444, Cmono, or one of them "
        "with 9 to 16 bits, as in C420p10");
}

int side(std::string_view text, const char* what) {
  const std::int64_t value = number(text, what);
  if (value < 1 || value > FrameLayout::kMostSide)
    throw bad_data(std::string(what) + " " + std::string(text) + " is not within 1 to " +
                   std::to_string(FrameLayout::kMostSide));
  return static_cast<int>(value);
}

}  // namespace

Rational rational(std::string_view text) {
  const auto cut = text.find_first_of("/:");
  Rational r{number(text.substr(0, cut), "frame rate"),
             cut == std::string_view::npos ? 1 : number(text.substr(cut + 1), "frame rate")};
  if (r.num < 1 || r.den < 1 || r.num > INT32_MAX || r.den > INT32_MAX)
    throw bad_data("'" + std::string(text.substr(0, 40)) +
                   "' is no frame rate: expected a number like 25 or a "
                   "fraction like 30000/1001");
  return r;
}

Rational rate_of(std::int64_t period) {
  if (period < 1) return {25, 1};
  const auto fits = [&](std::int64_t num, std::int64_t den) {
    return num >= 1 && time_of(1, {num, den}).count() == period;
  };
  const double rate = static_cast<double>(kNano) / static_cast<double>(period);
  for (const std::int64_t den : {1, 1001}) {
    const auto nearest = std::llround(rate * static_cast<double>(den) / (den == 1 ? 1 : 1000)) *
                         (den == 1 ? std::int64_t{1} : std::int64_t{1000});
    const std::int64_t common = std::gcd(nearest, den);
    if (fits(nearest, den)) return {nearest / common, den / common};
  }
  // Continued fraction: the simplest one that gives the period back.
  std::int64_t p0 = 0, q0 = 1, p1 = 1, q1 = 0, a = kNano, b = period;
  while (b != 0) {
    const std::int64_t whole = a / b;
    const std::int64_t p = whole * p1 + p0, q = whole * q1 + q0;
    if (p > INT32_MAX || q > INT32_MAX) break;
    p0 = p1, q0 = q1, p1 = p, q1 = q;
    if (fits(p1, q1)) break;
    a = std::exchange(b, a % b);
  }
  return p1 < 1 ? Rational{1, 1} : Rational{p1, q1};
}

Time time_of(std::int64_t index, Rational rate) {
  const __int128 exact = static_cast<__int128>(index) * kNano * rate.den;
  return Time{static_cast<std::int64_t>((exact + rate.num / 2) / rate.num)};
}

std::string name_of(ChromaSiting siting) {
  constexpr const char* kNames[] = {"", "mpeg2", "jpeg", "paldv"};
  return kNames[static_cast<std::size_t>(siting)];
}

ChromaSiting chroma_siting(std::string_view name) {
  for (const auto siting : {ChromaSiting::kLeft, ChromaSiting::kCentre, ChromaSiting::kTopLeft}) {
    if (name == name_of(siting)) return siting;
  }
  return ChromaSiting::kUnspecified;
}

char letter_of(FieldOrder fields) { return kFieldLetters[static_cast<std::size_t>(fields)]; }

FieldOrder field_order(std::string_view letter) {
  const auto at = letter.size() == 1 ? kFieldLetters.find(letter) : std::string_view::npos;
  if (at == std::string_view::npos)
    throw bad_data("interlacing '" + std::string(letter.substr(0, 40)) + "': expected p, t, b, m or ?");
  return static_cast<FieldOrder>(at);
}

std::string aspect_text(const Sampling& sampling) {
  return std::to_string(sampling.aspect_width) + ":" + std::to_string(sampling.aspect_height);
}

void set_aspect(std::string_view text, Sampling& into) {
  const auto cut = text.find(':');
  const auto part = [&](std::string_view digits) {
    const std::int64_t value = number(digits, "pixel aspect");
    if (value < 0 || value > INT32_MAX)
      throw bad_data("pixel aspect '" + std::string(text.substr(0, 40)) +
                     "': expected a ratio like 16:11, or 0:0");
    return static_cast<std::int32_t>(value);
  };
  const std::int32_t width = part(text.substr(0, cut));
  const std::int32_t height = part(cut == std::string_view::npos ? std::string_view{} : text.substr(cut + 1));
  const bool known = width > 0 && height > 0;
  into.aspect_width = known ? width : 0;
  into.aspect_height = known ? height : 0;
}

Y4mHeader Y4mHeader::parse(std::string_view line) {
  if (!line.starts_with(kMagic)) throw bad_data("expected 'YUV4MPEG2'");
  line.remove_prefix(kMagic.size());
  Y4mHeader header;
  bool rated = false, coloured = false;
  while (!line.empty()) {
    if (line.front() != ' ') throw bad_data("expected a space before the next parameter of the header");
    line.remove_prefix(1);
    const auto end = std::min(line.find(' '), line.size());
    const std::string_view item = line.substr(0, end);
    line.remove_prefix(end);
    if (item.empty()) continue;
    const std::string_view value = item.substr(1);
    switch (item.front()) {
      case 'W':
        header.layout.width = side(value, "width");
        break;
      case 'H':
        header.layout.height = side(value, "height");
        break;
      case 'F':
        header.rate = rational(value);
        rated = true;
        break;
      case 'I':
        header.layout.sampling.fields = field_order(value);
        break;
      case 'A':
        set_aspect(value, header.layout.sampling);
        break;
      case 'C':
        set_chroma(value, header);
        coloured = true;
        break;
      case 'X':
        if (value == "COLORRANGE=FULL") header.layout.range = ColorRange::kFull;
        if (value == "COLORRANGE=LIMITED") header.layout.range = ColorRange::kLimited;
        if (value.starts_with("MATRIX=")) header.layout.matrix = value.substr(7);
        if (value.starts_with("SITING=")) header.layout.sampling.siting = chroma_siting(value.substr(7));
        break;
      default:
        break;  // parameters of later versions
    }
  }
  if (header.layout.width == 0 || header.layout.height == 0)
    throw bad_data("the header of YUV4MPEG2 lacks a width (W) or a height (H)");
  if (!coloured) set_chroma("420jpeg", header);
  if (!rated) throw bad_data("the header of YUV4MPEG2 lacks a frame rate (F)");
  return header;
}

std::string Y4mHeader::text() const {
  const ChromaSiting siting =
      layout.sampling.siting == ChromaSiting::kUnspecified ? ChromaSiting::kCentre : layout.sampling.siting;
  std::string chroma;
  for (const Chroma& c : kChroma) {
    if (chroma.empty() && c.format == layout.format && c.bits == layout.bits &&
        (c.siting == ChromaSiting::kUnspecified || c.siting == siting))
      chroma = c.name;
  }
  if (layout.bits > 8) {
    chroma = layout.format == PixelFormat::kGray     ? "mono"
             : layout.format == PixelFormat::kYuv420 ? "420p"
             : layout.format == PixelFormat::kYuv422 ? "422p"
                                                     : "444p";
    chroma += std::to_string(layout.bits);
  }
  std::string out = std::string(kMagic) + " W" + std::to_string(layout.width) + " H" +
                    std::to_string(layout.height) + " F" + std::to_string(rate.num) + ":" +
                    std::to_string(rate.den) + " I" + letter_of(layout.sampling.fields) + " A" +
                    aspect_text(layout.sampling) + " C" + chroma;
  // As FFmpeg writes them, so that its files come out as they went in.
  if (layout.bits > 8 && layout.format != PixelFormat::kGray) {
    std::string upper = chroma.substr(0, 3) + "P" + std::to_string(layout.bits);
    out += " XYSCSS=" + upper;
  } else if (layout.format == PixelFormat::kYuv422 || layout.format == PixelFormat::kYuv444) {
    out += " XYSCSS=" + chroma;
  } else if (layout.format == PixelFormat::kYuv420) {
    out += siting == ChromaSiting::kCentre ? " XYSCSS=420JPEG"
           : siting == ChromaSiting::kLeft ? " XYSCSS=420MPEG2"
                                           : " XYSCSS=420PALDV";
  }
  if (layout.range != ColorRange::kUnspecified)
    out += layout.range == ColorRange::kFull ? " XCOLORRANGE=FULL" : " XCOLORRANGE=LIMITED";
  if (!layout.matrix.empty()) out += " XMATRIX=" + layout.matrix;
  const bool halved = layout.format == PixelFormat::kYuv420 || layout.format == PixelFormat::kYuv422;
  const bool said = layout.format == PixelFormat::kYuv420 && layout.bits == 8;
  if (halved && !said && layout.sampling.siting != ChromaSiting::kUnspecified)
    out += " XSITING=" + name_of(layout.sampling.siting);
  return out + "\n";
}

}  // namespace stream
