/// The readers of `formats`.
#include <stdexcept>

#include "audio_read.hpp"
#include "jsonl_read.hpp"
#include "stream/testing.hpp"
#include "target.hpp"
#include "text_read.hpp"
#include "video_read.hpp"

namespace stream::fuzz {
namespace {

/// Counts and forgets, so that long output needs no memory.
class Drop final : public Output {
 public:
  bool unused(std::size_t) const override { return false; }

 protected:
  void put(std::size_t, Packet&& packet) override {
    if (packet.time < newest_) throw std::logic_error("time goes back");
    newest_ = packet.time;
  }
  void mark(std::size_t, Time) override {}

 private:
  Time newest_ = kTimeMin;
};

template <typename Reader>
void read_all(Bytes bytes, Object params) {
  const MemoryFile file(bytes);
  params.set("path", file.path());
  Drop out;
  try {
    const auto op = testing::make<Reader>(params);
    auto& source = dynamic_cast<Source&>(*op);
    while (source.read(out)) {
    }
  } catch (const Error& e) {
    if (e.code() != ExitCode::kBadData) throw;
  }
}

}  // namespace

void run_text(Bytes bytes) {
  read_all<TextRead>(bytes, {{"max_line", 1000}});
  read_all<TextRead>(bytes, {{"invalid", "replace"}});
}
void run_jsonl(Bytes bytes) {
  read_all<JsonlRead>(bytes, {});
  read_all<JsonlRead>(bytes, {{"time", "t"}, {"key", "k"}});
}
void run_raw(Bytes bytes) {
  read_all<AudioRead>(bytes,
                      {{"format", "raw"}, {"raw_channels", 3}, {"raw_encoding", "f32le"}, {"rate", 11025}});
}
void run_wav(Bytes bytes) { read_all<AudioRead>(bytes, {{"format", "wav"}}); }
void run_flac(Bytes bytes) { read_all<AudioRead>(bytes, {{"format", "flac"}}); }
/// YUV4MPEG2, and raw frames. What FFmpeg's libraries read is fuzzed by their own project.
void run_yuv(Bytes bytes) {
  read_all<VideoRead>(bytes, {{"format", "y4m"}});
  read_all<VideoRead>(bytes, {{"format", "raw"},
                              {"raw_width", 7},
                              {"raw_height", 5},
                              {"raw_format", "yuv422p"},
                              {"raw_bits", 10},
                              {"rate", "30000/1001"}});
}
void run_ogg(Bytes bytes) { read_all<AudioRead>(bytes, {{"format", "ogg"}}); }

}  // namespace stream::fuzz
