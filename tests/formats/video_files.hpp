/// Videos for tests: made-up frames, what writers make of them, what readers say.
#pragma once

#include <string>
#include <vector>

#include "fed_pipe.hpp"
#include "stream/error.hpp"
#include "stream/testing.hpp"
#include "video_read.hpp"
#include "video_write.hpp"

namespace stream {

/// Smooth pictures that move, so that lossy codecs keep something of them.
inline std::vector<Packet> moving(const FrameLayout& layout, int count, Rational rate = {25, 1}) {
  std::vector<Packet> out;
  for (int i = 0; i < count; ++i) {
    std::vector<std::uint16_t> samples;
    for (int plane = 0; plane < layout.planes(); ++plane) {
      for (int y = 0; y < layout.plane_height(plane); ++y)
        for (int x = 0; x < layout.plane_width(plane); ++x)
          samples.push_back(static_cast<std::uint16_t>((16 + (x * 3 + y * 2 + i * 4 + plane * 60) % 200)
                                                       << (layout.bits - 8)));
    }
    Buffer buffer;
    if (layout.bits > 8)
      buffer = Buffer::own(std::move(samples));
    else
      buffer = Buffer::own(std::vector<std::uint8_t>(samples.begin(), samples.end()));
    const Time time = time_of(i, rate);
    out.push_back(Packet::of<Frame>(time, layout.frame(buffer)));
    out.back().duration = time_of(i + 1, rate) - time;
  }
  return out;
}

inline std::string written(const std::vector<Packet>& packets, Object params, const char* ending) {
  const laws::ScratchFile file("", ending);
  params.set("path", file.path());
  testing::Collector out(0);
  const auto op = testing::make<VideoWrite>(params);
  for (const Packet& packet : packets) op->process(packet, out);
  op->finish(out);
  dynamic_cast<Sink&>(*op).flush();
  return file.read();
}

struct ReadVideo {
  std::vector<Packet> frames;
  std::string complaint;  ///< empty when it ended well
};

inline ReadVideo read_video(const std::string& path, Object params = {}) {
  params.set("path", path);
  testing::Collector out(1);
  ReadVideo result;
  try {
    const auto op = testing::make<VideoRead>(params);
    auto& source = dynamic_cast<Source&>(*op);
    while (source.read(out)) {
    }
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadData) << e.what();
    result.complaint = e.what();
  }
  result.frames = out.packets[0];
  return result;
}

inline ReadVideo read_bytes(const std::string& bytes, Object params = {}) {
  const laws::ScratchFile file(bytes);
  return read_video(file.path(), std::move(params));
}

}  // namespace stream
