/// YUV4MPEG2 and raw frames. Rows go from the packet's memory to the operating system.
#include "stream/error.hpp"
#include "stream/log.hpp"
#include "video_encoder.hpp"

namespace stream {
namespace {

void write_planes(OutputFile& out, const Frame& frame) {
  for (const Frame::Plane& plane : frame.planes()) {
    const std::size_t row = static_cast<std::size_t>(plane.width) * size_of(frame.depth());
    if (plane.stride == row) {
      out.write(plane.data.bytes().first(row * static_cast<std::size_t>(plane.height)));
      continue;
    }
    for (int y = 0; y < plane.height; ++y)
      out.write(plane.data.bytes().subspan(static_cast<std::size_t>(y) * plane.stride, row));
  }
}

class RawVideoEncoder final : public VideoEncoder {
 public:
  explicit RawVideoEncoder(OutputFile& out) : out_(out) {}
  void begin(const FrameLayout&, Duration) override {}
  void write(const Packet& packet) override { write_planes(out_, packet.as<Frame>()); }
  void finish() override {}
  std::uint64_t kept() const override { return out_.offset(); }

 private:
  OutputFile& out_;
};

class Y4mEncoder final : public VideoEncoder {
 public:
  explicit Y4mEncoder(OutputFile& out) : out_(out) {}
  void begin(const FrameLayout& layout, Duration period) override {
    if (layout.format == PixelFormat::kRgb)
      throw bad_data("YUV4MPEG2 does not hold RGB: put a video.convert with format = \"yuv444p\" before it");
    Y4mHeader header;
    header.layout = layout;
    header.rate = rate_of(period.count());
    out_.write(header.text());
  }
  void write(const Packet& packet) override {
    out_.write("FRAME\n");
    write_planes(out_, packet.as<Frame>());
  }
  void finish() override {}
  std::uint64_t kept() const override { return out_.offset(); }

 private:
  OutputFile& out_;
};

}  // namespace

std::unique_ptr<VideoEncoder> make_y4m_encoder(OutputFile& out) { return std::make_unique<Y4mEncoder>(out); }
std::unique_ptr<VideoEncoder> make_raw_video_encoder(OutputFile& out) {
  return std::make_unique<RawVideoEncoder>(out);
}

}  // namespace stream
