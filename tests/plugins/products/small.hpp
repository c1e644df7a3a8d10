/// A small network, its model and index files, and packets of a made-up live stream.
#pragma once

#include "nn/device.hpp"
#include "products/cope_model.hpp"
#include "products/cope_trainer.hpp"
#include "products/made_products.hpp"
#include "stream/frame_layout.hpp"

namespace stream::products::testing {

inline CopeShape small_shape() {
  CopeShape shape;
  shape.size = 16, shape.width = 8, shape.heads = 2, shape.blocks = 1, shape.features = 8;
  shape.integration = 2, shape.vocabulary = 128, shape.text_width = 8, shape.text_heads = 2;
  shape.embedding = 8;
  return shape;
}

inline MadeProducts small_world() {
  return MadeProducts({.products = 20, .unseen = 8, .twin_groups = 2, .twins = 3, .size = 16, .seed = 3});
}

/// Writes the model, and the index of pages `begin` to `end` of the small world.
inline void write_small_model(const std::string& model, const std::string& index, std::int32_t end = 20) {
  write_cope(model, CopeNetwork(small_shape(), nn::generator(1)));
  const CopeModel read(model);
  const MadeProducts world = small_world();
  IndexedPages pages;
  pages.fingerprint = read.fingerprint(), pages.features = 8;
  for (std::int32_t p = 0; p < end; ++p) {
    const auto e = read.network().embed(world.clip(p, Domain::kPage, 0), Domain::kPage);
    pages.ids.push_back(world.id(p)), pages.titles.push_back(world.title(p, 0));
    pages.vectors.insert(pages.vectors.end(), e.begin(), e.end());
  }
  pages.write(index);
}

inline Packet frame_packet(std::span<const std::uint8_t> samples, int size, Time time) {
  return Packet::of<Frame>(time, FrameLayout{size, size, PixelFormat::kRgb, 8, ColorRange::kFull, {}}.frame(
                                     Buffer::own(std::vector<std::uint8_t>(samples.begin(), samples.end()))));
}

/// Two frames a second of these products, one after the other.
inline std::vector<Packet> show(std::int32_t first, std::int32_t count) {
  const MadeProducts world = small_world();
  std::vector<Packet> out;
  for (std::int32_t p = first; p < first + count; ++p) {
    const Clip clip = world.clip(p, Domain::kLive, 7);
    for (int f = 0; f < clip.count(); ++f)
      out.push_back(
          frame_packet(clip.frame(f), 16, Time{static_cast<std::int64_t>(out.size()) * 500'000'000}));
  }
  return out;
}

}  // namespace stream::products::testing
