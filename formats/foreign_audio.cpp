#include "foreign_audio.hpp"

namespace stream {
namespace {

struct Magic {
  std::size_t offset;
  std::string_view bytes, name;
};

constexpr Magic kContainers[] = {
    {0, "ID3", "MP3"},
    {4, "ftyp", "MP4"},
    {0, "FORM", "AIFF"},
    {0, "caff", "Core Audio Format"},
    {0, ".snd", "Sun AU"},
    {0, "riff", "Sony Wave64"},
    {0, "wvPk", "WavPack"},
    {0, "MAC ", "Monkey's Audio"},
    {0, "#!AMR", "AMR"},
    {0, "\x1A\x45\xDF\xA3", "Matroska or WebM"},
    {0, "\x30\x26\xB2\x75", "Windows Media"},
};
constexpr Magic kOggCodecs[] = {
    {0, "OpusHead", "Opus"},
    {0, "Speex   ", "Speex"},
    {0,
     "\x7F"
     "FLAC",
     "FLAC"},
    {0, "\x80theora", "Theora video"},
};

template <std::size_t N>
std::string_view name_in(const Magic (&table)[N], std::string_view bytes) {
  for (const Magic& magic : table) {
    if (bytes.size() > magic.offset && bytes.substr(magic.offset).starts_with(magic.bytes)) return magic.name;
  }
  return {};
}

bool plain(const std::string& name) {
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/+,@%-") ==
             std::string::npos &&
         !name.empty() && name.front() != '-';
}

/// As one word of a POSIX shell.
std::string quoted(const std::string& name) {
  if (plain(name)) return name;
  std::string out = name.starts_with('-') ? "'./" : "'";
  for (const char c : name) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::string_view foreign_container(std::string_view first_bytes) {
  if (const auto name = name_in(kContainers, first_bytes); !name.empty()) return name;
  // An MPEG audio frame: eleven bits of sync, then the version and the layer; AAC has layer 0.
  if (first_bytes.size() >= 2 && first_bytes[0] == '\xFF' && (first_bytes[1] & 0xE0) == 0xE0)
    return (first_bytes[1] & 0x06) == 0 ? "AAC" : "MP3";
  return {};
}

std::string_view foreign_ogg_codec(std::string_view first_packet) {
  return name_in(kOggCodecs, first_packet);
}

std::string conversion(const std::string& name) {
  return "; ffmpeg converts it: ffmpeg -i " + (name == "stdin" ? "-" : quoted(name)) +
         " -f wav - | stream run RECIPE -i -";
}

}  // namespace stream
