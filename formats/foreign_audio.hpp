/// Audio that is not read here: what it is by its first bytes, and how to convert it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stream {

/// So many bytes tell any of the containers below apart.
inline constexpr std::size_t kMagicBytes = 12;
/// "MP3", "MP4", ... for the first bytes of such a file; empty for everything else.
std::string_view foreign_container(std::string_view first_bytes);
/// "Opus", "Speex", ... for the first packet of an Ogg stream; empty for everything else.
std::string_view foreign_ogg_codec(std::string_view first_packet);
/// "; ffmpeg converts it: ffmpeg -i song.mp3 -f wav - | stream run RECIPE -i -". `name`: of the file, or
/// "stdin".
std::string conversion(const std::string& name);

}  // namespace stream
