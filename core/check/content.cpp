#include "check/content.hpp"

#include <algorithm>

namespace stream::laws {
namespace {

std::string little_endian(std::uint32_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

/// 16-bit PCM with sizes in its header.
std::string wav_of(int rate, int channels, const std::string& samples) {
  const auto size = static_cast<std::uint32_t>(samples.size());
  const auto frame = static_cast<std::uint32_t>(2 * channels);
  return "RIFF" + little_endian(36 + size, 4) + "WAVEfmt " + little_endian(16, 4) + little_endian(1, 2) +
         little_endian(static_cast<std::uint32_t>(channels), 2) +
         little_endian(static_cast<std::uint32_t>(rate), 4) +
         little_endian(static_cast<std::uint32_t>(rate) * frame, 4) + little_endian(frame, 2) +
         little_endian(16, 2) + "data" + little_endian(size, 4) + samples;
}

std::string line_of_mark(const Mark& mark) {
  Random random(static_cast<std::uint64_t>(mark.seed));
  std::string line(static_cast<std::size_t>(mark.size) * (mark.kind == 3 ? 30 : 1),
                   static_cast<char>('a' + mark.seed % 26));
  if (mark.kind == 1) line += "h\u00e9\u4e16";
  if (mark.gap == 1) line += '\r';
  return line + "\n";
}

std::string samples_of_mark(const Mark& mark, int channels) {
  Random random(static_cast<std::uint64_t>(mark.seed));
  std::string out;
  for (int i = 0; i < mark.size * 20 * channels; ++i) {
    const std::uint64_t value = mark.kind == 3 ? random() : static_cast<std::uint64_t>(i % 50) * 100;
    out += little_endian(static_cast<std::uint32_t>(value), 2);
  }
  return out;
}

/// One frame for each mark, in YUV4MPEG2.
struct Picture {
  const char* colour;
  std::size_t bytes;  ///< of a picture of 5x3
};
constexpr Picture kPictures[] = {{"420jpeg", 27}, {"422p10", 66}, {"mono", 15}};

std::string frame_of_mark(const Mark& mark, std::size_t bytes) {
  Random random(static_cast<std::uint64_t>(mark.seed));
  std::string out = "FRAME\n";
  for (std::size_t i = 0; i < bytes; ++i) {
    // The upper byte of ten bits has no more than two.
    const bool upper = bytes == 66 && i % 2 == 1;
    out += static_cast<char>(mark.kind == 3 ? random() & (upper ? 3 : 255) : upper ? 1 : i * 7);
  }
  return out;
}

}  // namespace

std::optional<Feed> longer_content_for(PayloadType type, const Shape& shape, std::size_t times) {
  Feed feed;
  std::string samples;
  const int channels = 1 + shape.variant % 2;
  const Picture& picture = kPictures[static_cast<std::size_t>(shape.variant) % 3];
  std::size_t number = 0;
  for (std::size_t round = 0; round < times; ++round) {
    for (const Mark& mark : shape.marks) {
      switch (type) {
        case PayloadType::kText:
          feed.bytes += line_of_mark(mark);
          break;
        case PayloadType::kRecord: {
          Object object{{"n", static_cast<std::int64_t>(number++)}, {"seed", mark.seed}};
          if (mark.kind > 0) object.set("text", std::string(static_cast<std::size_t>(mark.size), 'x'));
          feed.bytes += Value(std::move(object)).dump() + (mark.gap == 1 ? "\r\n" : "\n");
          break;
        }
        case PayloadType::kAudio:
          samples += samples_of_mark(mark, channels);
          break;
        case PayloadType::kFrame:
          feed.bytes += frame_of_mark(mark, picture.bytes);
          break;
        case PayloadType::kBytes: {
          Random random(static_cast<std::uint64_t>(mark.seed));
          for (int i = 0; i < mark.size * 10; ++i) feed.bytes += static_cast<char>(random());
          break;
        }
        default:
          return {};
      }
    }
  }
  // The last line may lack its end.
  if (type == PayloadType::kText && shape.variant % 3 == 2 && !feed.bytes.empty()) feed.bytes.pop_back();
  if (type == PayloadType::kAudio) {
    constexpr int kRates[] = {16000, 8000, 44100};
    feed.bytes = wav_of(kRates[static_cast<std::size_t>(shape.variant) % 3], channels, samples);
    feed.ending = ".wav";
  }
  if (type == PayloadType::kFrame) {
    feed.bytes.insert(0, std::string("YUV4MPEG2 W5 H3 F30000:1001 Ip A1:1 C") + picture.colour + "\n");
    feed.ending = ".y4m";
  }
  return feed;
}

std::optional<Feed> content_for(PayloadType type, const Shape& shape) {
  return longer_content_for(type, shape, 1);
}

Feed damaged(const Feed& feed, Random& random, std::string& how) {
  Feed out = feed;
  std::string& bytes = out.bytes;
  const std::size_t size = bytes.size();
  switch (random.below(6)) {
    case 0:
      bytes.resize(random.below(size + 1));
      how = "cut off at byte " + std::to_string(bytes.size());
      break;
    case 1:
      for (std::size_t i = 0; i < 1 + size / 100 && size > 0; ++i)
        bytes[random.below(size)] ^= static_cast<char>(1 << random.below(8));
      how = "with flipped bits";
      break;
    case 2:
      for (std::size_t i = 0; i < std::min<std::size_t>(size, 64); ++i)
        bytes[i] = static_cast<char>(random());
      how = "with noise for a header";
      break;
    case 3: {
      const std::size_t at = random.below(size + 1);
      bytes.insert(at, std::string(1 + random.below(16), static_cast<char>(random())));
      how = "with bytes put in at " + std::to_string(at);
      break;
    }
    case 4:
      // Sizes and counts are where readers allocate.
      for (std::size_t i = 0; i + 4 <= std::min<std::size_t>(size, 64); i += 4) {
        if (random.below(3) == 0) bytes.replace(i, 4, "\xFF\xFF\xFF\x7F", 4);
      }
      how = "with huge sizes in its header";
      break;
    default:
      bytes.clear();
      how = "empty";
  }
  return out;
}

}  // namespace stream::laws
