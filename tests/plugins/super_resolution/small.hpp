/// Small things to try super-resolution on.
#pragma once

#include "super_resolution/overfit.hpp"
#include "super_resolution/stream_file.hpp"
#include "video_world/clips.hpp"

namespace stream::super_resolution::testing {

inline TrainingClip small_clip(int frames = 4, int scale = 4, int columns = 2, int rows = 2, int width = 64,
                               int height = 48, const std::string& name = "mixed") {
  TrainingClip clip(scale, columns, rows);
  const auto made = video_world::make_clip(name, 5, width, height, frames);
  for (int f = 0; f < frames; ++f) clip.add(made->frame(f).frame());
  return clip;
}

inline std::vector<Packet> frames_of(const TrainingClip& clip, bool lr = false) {
  std::vector<Packet> out;
  for (int f = 0; f < clip.frames(); ++f) {
    out.push_back(Packet::of<Frame>(duration_of(f, 30), frame_of(lr ? clip.lr(f) : clip.hr(f))));
    out.back().duration = duration_of(f + 1, 30) - out.back().time;
  }
  return out;
}

inline const WdsrShape kSmall{.scale = 4, .features = 4, .blocks = 1, .expansion = 2};

inline std::shared_ptr<Wdsr> small_network(std::uint64_t seed = 1, WdsrShape shape = kSmall) {
  return std::make_shared<Wdsr>(shape, nn::generator(seed));
}

/// A stream file with two models whose labels alternate, for the small clip.
inline std::string small_file(const TrainingClip& clip, Halo halo = Halo::kNone,
                              Precision precision = Precision::kFloat16) {
  StreamHeader h;
  h.grid = clip.grid();
  h.shape = kSmall;
  h.models = 2;
  h.halo = halo;
  h.precision = precision;
  h.method = "stdo";
  std::string bytes = begin_bytes(h);
  for (int m = 0; m < 2; ++m)
    bytes += model_bytes(m, small_network(static_cast<std::uint64_t>(m) + 1)->folded(), precision);
  std::vector<Labels> labels;
  for (int f = 0; f < clip.frames(); ++f) {
    Labels now(static_cast<std::size_t>(clip.grid().patches()));
    for (std::size_t p = 0; p < now.size(); ++p)
      now[p] = static_cast<std::uint8_t>((p + static_cast<std::size_t>(f)) % 2);
    labels.push_back(now);
  }
  // In two records, as a live one comes.
  const auto middle = labels.begin() + clip.frames() / 2;
  bytes += labels_bytes(h, 0, {labels.begin(), middle});
  bytes += labels_bytes(h, clip.frames() / 2, {middle, labels.end()});
  return bytes + end_bytes(clip.frames());
}

}  // namespace stream::super_resolution::testing
