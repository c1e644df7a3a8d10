/// The stream file: what is wrong with it is named, with its byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fed_pipe.hpp"
#include "plugins/super_resolution/small.hpp"
#include "stream/error.hpp"
#include "stream/testing.hpp"
#include "super_resolution/superres_play.hpp"

namespace stream::super_resolution {
namespace {

using namespace testing;
using ::testing::HasSubstr;

struct Played {
  std::vector<Packet> frames;
  std::string complaint;
};

Played play_bytes(const std::string& bytes, const std::vector<Packet>& lr, Object params = {}) {
  const laws::ScratchFile file(bytes, ".srs");
  params.set("file", file.path());
  stream::testing::Collector out(2);
  Played result;
  try {
    const auto op = stream::testing::make<PlayOperator>(params);
    for (const Packet& packet : lr) op->process(packet, out);
    op->finish(out);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadData) << e.what();
    result.complaint = e.what();
  }
  result.frames = out.packets[0];
  return result;
}

TEST(StreamFile, PlaysWhatWasTrained) {
  const TrainingClip clip = small_clip(4);
  for (const Halo halo : {Halo::kNone, Halo::kFull})
    for (const Precision precision : {Precision::kFloat16, Precision::kInt8, Precision::kFloat32}) {
      const Played played = play_bytes(small_file(clip, halo, precision), frames_of(clip, true));
      EXPECT_EQ(played.complaint, "");
      ASSERT_EQ(played.frames.size(), 4u);
      Upscaler upscaler(clip.grid(), 4, halo, 1);
      std::vector<std::shared_ptr<const Network>> models;
      for (std::uint64_t m = 1; m <= 2; ++m) {
        const Weights w = small_network(m)->folded();
        models.push_back(
            std::make_shared<const Network>(Weights::read(w.shape, precision, w.bytes(precision))));
      }
      upscaler.set_models(models);
      for (int f = 0; f < 4; ++f) {
        Labels labels(4);
        for (std::size_t p = 0; p < 4; ++p)
          labels[p] = static_cast<std::uint8_t>((p + static_cast<std::size_t>(f)) % 2);
        EXPECT_EQ(pixels_of(played.frames[static_cast<std::size_t>(f)].as<Frame>()).samples,
                  upscaler.run(clip.lr(f), labels).samples);
      }
    }
}

TEST(StreamFile, WhatIsWrongIsNamedAfterTheFramesBefore) {
  const TrainingClip clip = small_clip(4);
  const auto lr = frames_of(clip, true);
  const std::string good = small_file(clip);
  // Five frames for four labels.
  auto more = lr;
  more.push_back(lr.back());
  Played played = play_bytes(good, more);
  EXPECT_EQ(played.frames.size(), 4u);
  EXPECT_THAT(played.complaint, HasSubstr("describes 4 frames, the video has a frame 4"));
  // Cut inside the last labels.
  played = play_bytes(good.substr(0, good.size() - 30), lr);
  EXPECT_EQ(played.frames.size(), 2u);
  EXPECT_THAT(played.complaint, HasSubstr("the file ends inside a record"));
  // A flipped bit in a weight.
  std::string flipped = good;
  flipped[good.size() / 3] ^= 1;
  EXPECT_THAT(play_bytes(flipped, lr).complaint, HasSubstr("wrong checksum"));
  EXPECT_THAT(play_bytes("", lr).complaint, HasSubstr("empty: expected a stream file"));
  EXPECT_THAT(play_bytes("STREAM??" + good.substr(8), lr).complaint, HasSubstr("expected 'STREAMSR'"));
  EXPECT_THAT(play_bytes(good, lr, {{"scale", 2}}).complaint,
              HasSubstr("models for a scale of 4, expected 2"));
  const TrainingClip larger = small_clip(1, 4, 2, 2, 128, 96);
  EXPECT_THAT(play_bytes(good, frames_of(larger, true)).complaint, HasSubstr("frame 0 is 32x24 rgb"));
}

/// Header fields, each with a digest that fits.
TEST(StreamFile, HeadersThatLieAreRefused) {
  const TrainingClip clip = small_clip(2);
  const auto lr = frames_of(clip, true);
  const auto with = [&](auto change) {
    StreamHeader h;
    h.grid = clip.grid();
    h.shape = kSmall;
    h.models = 1;
    change(h);
    return begin_bytes(h) + end_bytes(0);
  };
  EXPECT_THAT(play_bytes(with([](StreamHeader& h) { h.grid.width = 1 << 20; }), lr).complaint,
              HasSubstr("a width of 1048576"));
  EXPECT_THAT(play_bytes(with([](StreamHeader& h) { h.grid.columns = 30000; }), lr).complaint,
              HasSubstr("does not divide"));
  EXPECT_THAT(play_bytes(with([](StreamHeader& h) { h.shape.scale = 1; }), lr).complaint,
              HasSubstr("scale = 1"));
  EXPECT_THAT(play_bytes(with([](StreamHeader& h) { h.shape.features = 0; }), lr).complaint,
              HasSubstr("features = 0"));
  EXPECT_THAT(play_bytes(with([](StreamHeader& h) { h.models = 0; }), lr).complaint,
              HasSubstr("without models"));
  EXPECT_THAT(play_bytes(with([](StreamHeader&) {}), lr).complaint, HasSubstr("describes 0 frames"));
}

TEST(StreamFile, AFileAndAPipeAreTheSame) {
  const TrainingClip clip = small_clip(4);
  const std::string bytes = small_file(clip);
  const laws::FedPipe pipe(bytes, 7);
  StreamFile piped(pipe.path());
  const laws::ScratchFile file(bytes);
  StreamFile whole(file.path());
  for (int f = 0; f < 4; ++f) EXPECT_EQ(piped.labels(f), whole.labels(f));
  EXPECT_EQ(piped.models().size(), 2u);
  EXPECT_EQ(piped.version(), 1);
}

}  // namespace
}  // namespace stream::super_resolution
