#include <gtest/gtest.h>

#include "asr/stream_encoder.hpp"
#include "nn/device.hpp"
#include "stream/random.hpp"

namespace stream::asr {
namespace {

std::shared_ptr<Conformer> network() {
  ConformerShape shape;
  shape.features = 32, shape.layers = 3, shape.channels = 8, shape.vocabulary = 10;
  return std::make_shared<Conformer>(shape, nn::generator(11));
}

std::vector<float> noise(std::size_t n) {
  Random random(4);
  std::vector<float> out(n);
  for (auto& x : out) x = static_cast<float>(0.1 * random.normal());
  return out;
}

at::Tensor offline(const Conformer& net, const std::vector<float>& samples, std::int64_t lookahead) {
  return nn::inference([&] {
    const at::Tensor wave =
        at::from_blob(const_cast<float*>(samples.data()), {std::int64_t(samples.size())}, at::kFloat);
    const at::Tensor mels = FrontEnd().offline(wave);
    return net.encode(mels.unsqueeze(0), {Subsampling::output_length(mels.size(0))}, lookahead)[0].clone();
  });
}

struct Gathered {
  std::vector<at::Tensor> parts;
  StreamEncoder::Sink sink() {
    return [this](std::int64_t, const Conformer::Heads& heads) { parts.push_back(heads.encoded[0].clone()); };
  }
  at::Tensor all() const { return at::cat(parts); }
};

TEST(Subsampling, LengthsAreThoseOfTheStages) {
  const auto net = network();
  for (std::int64_t t = 1; t <= 40; ++t) {
    const at::Tensor out = nn::inference([&] {
      return net->subsampling().forward(torch::zeros({1, t, kMels}));
    });
    EXPECT_EQ(out.size(1), Subsampling::output_length(t)) << t;
  }
  EXPECT_EQ(Subsampling::output_length(1), 1);
  EXPECT_EQ(Subsampling::output_length(9), 2);
}

TEST(ChunkMask, IsTheFormula) {
  for (const std::int64_t r : {0, 1, 3, 6}) {
    const at::Tensor mask = chunk_mask(70, 28, r);
    for (std::int64_t i = 0; i < 70; ++i)
      for (std::int64_t j = 0; j < 70; ++j) {
        const std::int64_t behind = i / (r + 1) - j / (r + 1);
        ASSERT_EQ(mask[i][j].item<float>() == 0, behind >= 0 && behind <= 28 / (r + 1)) << i << ' ' << j;
      }
  }
}

TEST(StreamEncoder, EqualsTheWholeRecordingForEveryLookaheadAndLength) {
  const auto net = network();
  Random random(5);
  for (const auto lookahead : net->shape().lookaheads)
    for (std::size_t extra = 0; extra < 8; ++extra) {
      const auto samples = noise(64000 + 160 * extra + 37 * extra);
      StreamEncoder encoder(net, lookahead);
      Gathered got;
      for (std::size_t at = 0; at < samples.size();) {
        const std::size_t n = std::min<std::size_t>(samples.size() - at, 1 + random.below(4000));
        encoder.push({samples.data() + at, n}, got.sink());
        at += n;
      }
      encoder.finish(got.sink());
      const at::Tensor expected = offline(*net, samples, lookahead), streamed = got.all();
      ASSERT_EQ(streamed.sizes(), expected.sizes());
      EXPECT_LT((streamed - expected).abs().max().item<double>(), 1e-5) << lookahead << ' ' << extra;
    }
}

TEST(StreamEncoder, ShortRecordingsToo) {
  const auto net = network();
  for (const std::size_t n : {1u, 159u, 160u, 200u, 1280u, 1480u, 9000u}) {
    const auto samples = noise(n);
    StreamEncoder encoder(net, 6);
    Gathered got;
    encoder.push(samples, got.sink());
    encoder.finish(got.sink());
    const at::Tensor expected = offline(*net, samples, 6);
    ASSERT_EQ(got.all().sizes(), expected.sizes()) << n;
    EXPECT_LT((got.all() - expected).abs().max().item<double>(), 1e-5) << n;
  }
}

TEST(StreamEncoder, OneSampleAtATimeGivesTheSameBits) {
  const auto net = network();
  const auto samples = noise(24000);
  Gathered whole, single;
  StreamEncoder a(net, 3), b(net, 3);
  a.push(samples, whole.sink());
  a.finish(whole.sink());
  for (const float& s : samples) b.push({&s, 1}, single.sink());
  b.finish(single.sink());
  EXPECT_TRUE(at::equal(whole.all(), single.all()));
}

TEST(StreamEncoder, SavesAnywhereAndHoldsTheSameBytes) {
  const auto net = network();
  const auto samples = noise(48000);
  Gathered whole;
  StreamEncoder a(net, 1);
  a.push(samples, whole.sink());
  a.finish(whole.sink());
  for (const std::size_t cut : {1u, 201u, 1480u, 2761u, 30000u}) {
    Gathered parts;
    StreamEncoder b(net, 1), c(net, 1);
    const std::size_t bytes = b.state_bytes();
    b.push({samples.data(), cut}, parts.sink());
    EXPECT_EQ(b.state_bytes(), bytes);
    Archive state;
    b.save(state);
    c.load(state);
    c.push({samples.data() + cut, samples.size() - cut}, parts.sink());
    c.finish(parts.sink());
    EXPECT_TRUE(at::equal(whole.all(), parts.all())) << cut;
  }
}

TEST(StreamEncoder, NothingBeyondTheLookaheadMatters) {
  const auto net = network();
  auto samples = noise(40000);
  const std::int64_t lookahead = 3, chunk = lookahead + 1;
  const at::Tensor before = offline(*net, samples, lookahead);
  const std::int64_t frame = 2 * chunk;  // first of the third chunk
  const std::int64_t beyond = (frame + lookahead) * 1280 + kHalf;
  samples[static_cast<std::size_t>(beyond)] += 1;
  const at::Tensor after = offline(*net, samples, lookahead);
  EXPECT_TRUE(at::equal(before.narrow(0, 0, frame + chunk), after.narrow(0, 0, frame + chunk)));
  EXPECT_FALSE(at::equal(before, after));
}

}  // namespace
}  // namespace stream::asr
