/// The study of the cache-aware Conformer: its counting, its baseline, and that it can fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "asr/study_conformer.hpp"
#include "asr/study_cost.hpp"
#include "asr/study_equality.hpp"
#include "nn/device.hpp"
#include "nn/multiply_adds.hpp"
#include "stream/error.hpp"
#include "stream/testing.hpp"

namespace stream::asr {
namespace {

std::shared_ptr<Conformer> network(std::int64_t features = 32, std::int64_t channels = 16) {
  ConformerShape shape;
  shape.features = features, shape.layers = 3, shape.channels = channels, shape.vocabulary = 10;
  return std::make_shared<Conformer>(shape, nn::generator(11));
}

std::vector<float> noise(std::size_t n) {
  Random random(4);
  std::vector<float> out(n);
  for (auto& x : out) x = static_cast<float>(0.1 * random.normal());
  return out;
}

/// Written out by hand: what an encoder of this shape multiplies for `n` new frames that see `keys` keys
/// through `positions` position encodings, when its stages give so many rows.
std::int64_t by_hand(const ConformerShape& s, std::array<std::int64_t, 3> rows, std::int64_t n,
                     std::int64_t keys, std::int64_t positions) {
  const std::int64_t d = s.features, c = s.channels;
  const std::int64_t subsampling = rows[0] * 41 * c * 9 +                         // 3x3, one channel in
                                   rows[1] * 21 * c * 9 + rows[1] * 21 * c * c +  // depthwise, pointwise
                                   rows[2] * 11 * c * 9 + rows[2] * 11 * c * c +  //
                                   n * 11 * c * d;                                // to d
  const std::int64_t feed_forward = 2 * n * d * s.expansion * d;
  const std::int64_t attention = n * d * d + n * d * 2 * d +  // queries, keys and values
                                 n * keys * d + n * positions * d + n * keys * d +  // scores, values
                                 n * d * d;                                         // out
  const std::int64_t convolution = n * d * 2 * d + n * d * s.kernel + n * d * d;
  return subsampling + s.layers * (2 * feed_forward + attention + convolution);
}

TEST(Counting, OfACachedChunkIsTheSumOverItsShapes) {
  for (const auto& net : {network(), network(48, 32)})
    for (const std::int64_t r : net->shape().lookaheads) {
      StreamEncoder encoder(net, r);
      const std::int64_t c = r + 1, left = net->shape().left;
      const auto samples = noise(static_cast<std::size_t>((left + 2 * c) * 1280));
      encoder.push(samples, [](auto, const auto&) {});
      std::int64_t calls = 0;
      const nn::MultiplyAdds adds;
      encoder.push(noise(static_cast<std::size_t>(c * 1280)), [&](auto, const auto&) { ++calls; });
      EXPECT_EQ(calls, 1);
      EXPECT_EQ(adds.count(), by_hand(net->shape(), {4 * c, 2 * c, c}, c, left + c, left + 2 * c - 1)) << r;
      EXPECT_EQ(adds.within("heads"), c * net->shape().features * (net->shape().vocabulary + 1 + 2));
      EXPECT_GT(adds.within("front_end"), 0);
    }
}

TEST(Counting, OfAWindowIsTheSumOverItsShapes) {
  const auto net = network();
  BufferedEncoder encoder(net, 7, 50);
  encoder.push(noise(80000), [](auto, const auto&) {});
  std::int64_t calls = 0;
  const nn::MultiplyAdds adds;
  encoder.push(noise(7 * 1280), [&](auto, const auto&) { ++calls; });
  EXPECT_EQ(calls, 1);
  // 393 mel frames give 197, 99 and 50 rows.
  EXPECT_EQ(adds.count(), by_hand(net->shape(), {197, 99, 50}, 50, 50, 99));
  EXPECT_EQ(adds.within("heads"), 7 * net->shape().features * (net->shape().vocabulary + 1 + 2));
}

TEST(BufferedEncoder, GivesTheMiddleOfItsWindow) {
  const auto net = network();
  const std::int64_t chunk = 3, window = 20;
  BufferedEncoder encoder(net, chunk, window);
  const auto samples = noise(16000 * 6);
  std::vector<at::Tensor> got;
  std::int64_t next = 0;
  const auto sink = [&](std::int64_t first, const Conformer::Heads& heads) {
    EXPECT_EQ(first, next);
    next += heads.encoded.size(1);
    for (std::int64_t i = 0; i < heads.encoded.size(1); ++i) got.push_back(heads.encoded[0][i].clone());
  };
  Random random(3);
  for (std::size_t at = 0; at < samples.size();) {
    const std::size_t n = std::min<std::size_t>(samples.size() - at, 1 + random.below(4000));
    encoder.push({samples.data() + at, n}, sink);
    at += n;
  }
  encoder.finish(sink);
  const at::Tensor mels = nn::inference([&] {
    return FrontEnd().offline(
        at::from_blob(const_cast<float*>(samples.data()), {std::int64_t(samples.size())}, at::kFloat));
  });
  ASSERT_EQ(next, Subsampling::output_length(mels.size(0)));
  // Windows move by 3 frames; the one that ends with frame 41 gives those (20 - 3) / 2 before: 31, 32, 33.
  const std::int64_t last = 41;
  const at::Tensor whole = nn::inference([&] {
    const at::Tensor seen = mels.narrow(0, 8 * (last - window + 1), 8 * window - 7);
    return net->encode(seen.unsqueeze(0), {window}, -1)[0].clone();
  });
  for (std::int64_t i = 0; i < chunk; ++i)
    EXPECT_LT(
        (got[static_cast<std::size_t>(31 + i)] - whole[window - 1 - last + 31 + i]).abs().max().item<float>(),
        1e-5)
        << i;
}

TEST(BufferedEncoder, RefusesAChunkLargerThanItsWindow) {
  EXPECT_THROW(BufferedEncoder(network(), 4, 3), Error);
  EXPECT_THROW(BufferedEncoder(network(), 0, 3), Error);
  const auto net = network();
  for (const std::int64_t window : {1, 2}) {
    BufferedEncoder smallest(net, window, window);
    std::int64_t frames = 0;
    const auto count = [&](auto, const auto& heads) { frames += heads.encoded.size(1); };
    smallest.push(noise(20000), count);
    smallest.finish(count);
    EXPECT_EQ(frames, Subsampling::output_length(FrontEnd::frames(20000)));
    smallest.finish(count);
    EXPECT_EQ(frames, Subsampling::output_length(FrontEnd::frames(20000))) << "an empty stream";
  }
}

TEST(GreedyTokens, MergesRepeatsAndDropsBlanks) {
  const std::vector<std::int64_t> best{0, 0, 2, 0, 1, 1, 2, 2, 1};
  const at::Tensor logits = torch::zeros({9, 3});
  for (std::int64_t t = 0; t < 9; ++t) logits[t][best[static_cast<std::size_t>(t)]] = 1;
  EXPECT_THAT(greedy_tokens(logits), ::testing::ElementsAre(0, 0, 1, 1));
}

/// The claims of a study whose operator has these parameters, and the number of its points.
std::vector<Packet> claims_of(const Object& params, std::size_t& points) {
  Object complete{{"model", STREAM_SOURCE_DIR "/share/models/captions-en.h5"}};
  for (const auto& [name, value] : params) complete.set(name, value);
  const auto study = testing::make<ConformerStudy>(complete, {.node = "study", .seed = 5});
  std::vector<Packet> claims;
  const testing::Collector got = testing::drain(dynamic_cast<Source&>(*study));
  for (const Packet& packet : got.packets[0]) {
    const Record& record = packet.as<Record>();
    if (record.find("series")) {
      for (const char* name : {"plot", "x", "y"}) EXPECT_TRUE(record.find(name)) << name;
      ++points;
      continue;
    }
    for (const char* name : {"claim", "paper", "baseline", "measured", "bar", "held"})
      EXPECT_TRUE(record.find(name)) << name << ": " << record.json();
    claims.push_back(packet);
  }
  return claims;
}

bool about(const Packet& claim, const char* what) {
  return claim.as<Record>().at("claim").as_string().find(what) != std::string::npos;
}

TEST(ConformerStudy, QuickHoldsEveryBarThatIsNotATime) {
  std::size_t points = 0, times = 0;
  const auto claims = claims_of({{"quick", true}, {"utterances", 40}, {"minutes", 2}, {"pairs", 16}}, points);
  // For each of four look-aheads: difference, tokens, multiply-adds; two of bytes; three of times.
  EXPECT_EQ(claims.size(), 3u * 4 + 2 + 3);
  EXPECT_EQ(points, 4u * 4 + 1 + 2);
  for (const Packet& claim : claims) {
    if (about(claim, "processor time"))
      ++times;
    else
      EXPECT_TRUE(claim.as<Record>().at("held").as_bool()) << claim.as<Record>().json();
  }
  EXPECT_EQ(times, 3u);
}

TEST(ConformerStudy, ABarThatIsMissedIsStatedAsMissed) {
  // A window no longer than the largest chunk repeats nothing there, so caches cannot save time.
  std::size_t points = 0, missed = 0;
  for (const Packet& claim :
       claims_of({{"utterances", 1}, {"minutes", 1}, {"pairs", 20}, {"buffer", 0.56}}, points))
    if (about(claim, "processor time for a chunk, buffered") && about(claim, "480 ms"))
      missed += !claim.as<Record>().at("held").as_bool();
  EXPECT_EQ(missed, 1u);
}

TEST(ConformerStudy, RefusesABufferThatFitsNoChunk) {
  std::size_t points = 0;
  EXPECT_THROW(claims_of({{"buffer", 0.48}}, points), Error);
  EXPECT_THROW(claims_of({{"buffer", 4.03}}, points), Error);
}

}  // namespace
}  // namespace stream::asr
