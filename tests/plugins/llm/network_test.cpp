/// The trainable network against the decoder, by its equations, and by its gradients.
#include "llm/network.hpp"

#include <gmock/gmock.h>

#include "llm/memory_full.hpp"
#include "llm/plain_decoder.hpp"
#include "llm/session.hpp"
#include "stream/error.hpp"
#include "variants.hpp"

namespace stream::llm {
namespace {

using namespace testing;

at::Tensor some_tokens(std::int64_t batch, std::int64_t length, std::uint64_t seed = 3) {
  Random random(seed);
  at::Tensor out = torch::empty({batch, length}, at::kLong);
  for (std::int64_t i = 0; i < out.numel(); ++i)
    out.data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(random.below(31));
  return out;
}

/// Logits [T, V] of the decoder, all tokens in one block.
at::Tensor decoded(const LanguageModel& model, const at::Tensor& tokens) {
  const auto decoder = std::make_shared<const Decoder>(model);
  Session session(decoder, std::make_unique<FullMemory>(decoder->config(), decoder->rope()));
  std::vector<std::int32_t> ids;
  for (std::int64_t i = 0; i < tokens.numel(); ++i)
    ids.push_back(static_cast<std::int32_t>(tokens.data_ptr<std::int64_t>()[i]));
  std::vector<at::Tensor> rows;
  session.feed(ids, [&](std::size_t, std::span<const float> l) {
    rows.push_back(torch::tensor(std::vector<float>(l.begin(), l.end())));
  });
  return at::stack(rows);
}

double apart(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST(Network, IsTheDecoderInEveryVariant) {
  const torch::NoGradGuard no_grad;
  std::vector<Variant> all = variants();
  ModelConfig prefix = small_config();
  prefix.prefix = 7;
  all.push_back({"prefix", prefix});
  const at::Tensor tokens = some_tokens(1, 32);
  for (const Variant& v : all) {
    const LanguageModel model = random_model(v.config, 3);
    const Network network(model);
    EXPECT_LT(apart(network.forward(tokens)[0], decoded(model, tokens)), 1e-4) << v.name;
    // And back: what it is made of is the model that was given.
    EXPECT_EQ(fingerprint(network.model()), fingerprint(model)) << v.name;
  }
}

TEST(Network, InitialWeightsAreSmallOfBiasesAndOneOfNorms) {
  ModelConfig c = small_config();
  c.hidden = 64, c.attention_bias = AttentionBias::kKeyValue, c.position = Position::kRelative;
  const LanguageModel model = Network(c, nn::generator(5)).model();
  const auto deviation = [&](const char* name) {
    const auto values = floats(model.weights.at(name));
    double square = 0;
    for (const float v : values) square += static_cast<double>(v) * static_cast<double>(v);
    return std::sqrt(square / static_cast<double>(values.size()));
  };
  EXPECT_NEAR(deviation("layers.0.self_attn.key_bias"), 0.02, 0.012);
  EXPECT_NEAR(deviation("relative_attention_bias.weight"), 0.02, 0.005);
  EXPECT_NEAR(deviation("embed_tokens.weight"), 1.0 / 8, 0.01);
  EXPECT_EQ(deviation("norm.weight"), 1);
}

TEST(Network, WithoutPositionsARepeatedTokenIsAttendedToInEqualParts) {
  const torch::NoGradGuard no_grad;
  ModelConfig c = small_config();
  c.position = Position::kNone;
  const Network network(random_model(c, 5));
  const at::Tensor x = network.embed(torch::full({1, 16}, 7, at::kLong));
  Network::Qkv parts = network.qkv(0, x);
  // Values that name their tokens: what comes out is the attention.
  parts.v = torch::eye(16).unsqueeze(0).unsqueeze(0).expand({1, 2, -1, -1}).contiguous();
  const at::Tensor attention = network.attend(0, parts, Network::causal(16));
  for (std::int64_t t = 0; t < 16; ++t)
    for (std::int64_t s = 0; s <= t; ++s)
      EXPECT_NEAR(attention[0][3][t][s].item<double>(), 1.0 / static_cast<double>(t + 1), 1e-6);
}

TEST(Network, AKeyBiasOfZeroIsTheZeroSink) {
  const torch::NoGradGuard no_grad;
  ModelConfig with = small_config();
  with.attention_bias = AttentionBias::kKey;
  LanguageModel a = random_model(with, 5);
  const LanguageModel b = plain::zero_sink_of(a);
  const at::Tensor tokens = some_tokens(2, 20);
  EXPECT_LT(apart(Network(a).forward(tokens), Network(b).forward(tokens)), 1e-5);
}

/// Attention weights of four tokens under given scores, by a hand-made head: queries of one, keys of the
/// scores.
at::Tensor attention_under(Score score, const std::vector<float>& keys) {
  const torch::NoGradGuard no_grad;
  ModelConfig c = small_config();
  c.heads = c.kv_heads = 1, c.head_dim = 4, c.position = Position::kNone, c.score = score;
  const Network network(random_model(c, 5));
  const auto n = static_cast<std::int64_t>(keys.size());
  Network::Qkv parts;
  parts.q = parts.raw_q = torch::tensor({2.0f, 0.0f, 0.0f, 0.0f}).view({1, 1, 1, 4}).expand({1, 1, n, 4});
  parts.k = at::cat({torch::tensor(keys).view({1, 1, n, 1}), torch::zeros({1, 1, n, 3})}, 3);
  parts.v = torch::eye(n).view({1, 1, n, n});
  return network.attend(0, parts, Network::causal(n))[0][0];
}

TEST(Network, AttentionOperationsByHand) {
  // 2 k / sqrt(4) = k: the scores are the keys.
  const std::vector<float> s{0.5f, -1.0f, 2.0f};
  const auto row = [&](Score score) {
    const at::Tensor last = attention_under(score, s)[2];
    return std::vector<double>{last[0].item<double>(), last[1].item<double>(), last[2].item<double>()};
  };
  const auto expect = [](const std::vector<double>& found, const std::vector<double>& wanted) {
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(found[i], wanted[i], 1e-6);
  };
  const double e = std::exp(-1.0);
  expect(row(Score::kElu), {1.5, e, 3});
  expect(row(Score::kEluNormalised), {1.5 / (4.5 + e), e / (4.5 + e), 3 / (4.5 + e)});
  // phi(q) = (3, 1, 1, 1), phi(k) = (elu(k) + 1, 1, 1, 1).
  const std::vector<double> elu{(3 * 1.5 + 3) / 2, (3 * e + 3) / 2, (3 * 3.0 + 3) / 2};
  const double sum = elu[0] + elu[1] + elu[2];
  expect(row(Score::kEluKernel), elu);
  expect(row(Score::kEluKernelNormalised), {elu[0] / sum, elu[1] / sum, elu[2] / sum});
  expect(row(Score::kIdentityKernel), {0.5, -1, 2});
  expect(row(Score::kIdentityKernelNormalised), {0.5 / 1.5, -1 / 1.5, 2 / 1.5});
  // The first token's sum is 0.5, less than one: it is not divided.
  EXPECT_NEAR(attention_under(Score::kIdentityKernelNormalised, s)[0][0].item<double>(), 0.5, 1e-6);
  // A sum of -3 is divided by 3, so that signs stay.
  EXPECT_NEAR(attention_under(Score::kIdentityKernelNormalised, {-1, -2})[1][1].item<double>(), -2.0 / 3,
              1e-6);
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  expect(row(Score::kSigmoid), {sigmoid(0.5), sigmoid(-1), sigmoid(2)});
  for (const std::string& name : score_names())
    EXPECT_EQ(attention_under(score_named(name), s)[0][1].item<double>(), 0)
        << "the future weighs 0: " << name;
}

TEST(Network, WhoSeesWhom) {
  ModelConfig c = small_config();
  c.prefix = 3;
  const at::Tensor prefix = Network(random_model(c, 5)).unseen(6);
  c.prefix = 0, c.sliding_window = 2;
  const at::Tensor window = Network(random_model(c, 5)).unseen(6);
  for (std::int64_t q = 0; q < 6; ++q)
    for (std::int64_t k = 0; k < 6; ++k) {
      EXPECT_EQ(prefix[q][k].item<bool>(), k > q && k >= 3) << q << ' ' << k;
      EXPECT_EQ(window[q][k].item<bool>(), k > q || k < q - 1) << q << ' ' << k;
    }
}

TEST(Network, GradientsAreThoseOfDifferences) {
  // In double precision: central differences of the loss against its gradient, some numbers of every weight.
  for (const std::string& name : score_names())
    for (const AttentionBias bias : {AttentionBias::kNone, AttentionBias::kKeyValue}) {
      ModelConfig c = small_config();
      c.score = score_named(name), c.attention_bias = bias;
      Network network(random_model(c, 6));
      network.to(at::kDouble);
      const at::Tensor tokens = some_tokens(2, 9), wanted = some_tokens(2, 9, 4).view({-1});
      const auto loss = [&] {
        return at::cross_entropy_loss(network.forward(tokens).reshape({-1, c.vocabulary}), wanted);
      };
      loss().backward();
      Random random(1);
      for (auto& item : network.named_parameters()) {
        at::Tensor& w = item.value();
        for (int i = 0; i < 2; ++i) {
          const torch::NoGradGuard no_grad;
          const auto at = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(w.numel())));
          const at::Tensor flat = w.detach().view(-1);
          const double before = flat[at].item<double>(), step = 1e-6;
          flat[at].fill_(before + step);
          const double up = loss().item<double>();
          flat[at].fill_(before - step);
          const double down = loss().item<double>();
          flat[at].fill_(before);
          const double gradient = w.grad().view(-1)[at].item<double>();
          EXPECT_NEAR((up - down) / (2 * step), gradient, 1e-7 + 1e-4 * std::abs(gradient))
              << name << ", bias " << name_of(bias) << ": " << item.key();
        }
      }
    }
}

}  // namespace
}  // namespace stream::llm
