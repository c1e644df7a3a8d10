#include "super_resolution/coded_clip.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>

#include "libav.hpp"
#include "stream/error.hpp"
#include "video_decoder.hpp"
#include "video_encoder.hpp"

namespace stream::super_resolution {
namespace {

/// A file in memory, by path.
class MemoryFile {
 public:
  MemoryFile() : fd_(::memfd_create("clip", MFD_CLOEXEC)) {
    if (fd_ < 0) throw failed("no memory for a file");
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

Packet packet_of(Frame frame, std::int64_t index, Rational rate) {
  Packet packet = Packet::of<Frame>(time_of(index, rate), std::move(frame));
  packet.duration = time_of(index + 1, rate) - packet.time;
  return packet;
}

}  // namespace

CodedClip through_x264(const std::vector<Pixels>& frames, double crf, int rate) {
  CodedClip out;
  out.crf = crf;
  const MemoryFile memory;
  const Rational each{rate, 1};
  {
    OutputFile file(memory.path());
    char quality[32];
    std::snprintf(quality, sizeof quality, "crf=%.4f", crf);
    const auto encoder =
        make_libav_encoder(file, memory.path(), {"h264", "libx264", {quality, "preset=medium"}});
    libav::Conversion to_yuv(FrameLayout{0, 0, PixelFormat::kYuv444, 8, ColorRange::kLimited, "smpte170m"});
    std::int64_t index = 0;
    for (const Pixels& pixels : frames) {
      const Packet packet =
          packet_of(to_yuv.convert(std::make_shared<const Frame>(frame_of(pixels))), index++, each);
      const auto& frame = packet.as<Frame>();
      if (index == 1) encoder->begin(FrameLayout::of(frame), packet.duration);
      encoder->write(packet);
    }
    encoder->finish();
    file.flush();
    out.bytes = file.offset();
  }
  VideoInput in(memory.path());
  const auto decoder = make_libav_decoder(in, each);
  libav::Conversion to_rgb(FrameLayout{0, 0, PixelFormat::kRgb, 8, ColorRange::kFull, {}});
  Packet packet;
  while (decoder->decode(packet) == VideoDecoder::Status::kFrame)
    out.frames.push_back(pixels_of(to_rgb.convert(std::static_pointer_cast<const Frame>(packet.payload))));
  if (out.frames.size() != frames.size())
    throw std::logic_error("x264 made " + std::to_string(out.frames.size()) + " of " +
                           std::to_string(frames.size()) + " frames");
  return out;
}

CodedClip at_most(const std::vector<Pixels>& frames, std::size_t bytes, int rate) {
  CodedClip best = through_x264(frames, 51, rate);
  for (double low = 0, high = 51; high - low > 0.125;) {
    const double middle = (low + high) / 2;
    CodedClip tried = through_x264(frames, middle, rate);
    if (tried.bytes <= bytes) {
      high = middle;
      best = std::move(tried);
    } else {
      low = middle;
    }
  }
  return best;
}

}  // namespace stream::super_resolution
