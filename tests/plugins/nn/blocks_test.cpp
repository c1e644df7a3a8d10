#include <gtest/gtest.h>

#include "nn/adamw.hpp"
#include "nn/relative_attention.hpp"
#include "stream/archive.hpp"

namespace stream::nn {
namespace {

TEST(RelativeShift, PicksTheDistanceOfEachQueryAndKey) {
  // Row i, column m of the input belongs to the distance K-1-m as seen from row c-1; element (i, j) must be
  // column c-1-i+j.
  const std::int64_t c = 3, p = 7;
  const at::Tensor scores = torch::arange(c * p, at::kFloat).view({1, 1, c, p});
  const at::Tensor shifted = relative_shift(scores);
  ASSERT_EQ(shifted.sizes(), (at::IntArrayRef{1, 1, c, p - c + 1}));
  for (std::int64_t i = 0; i < c; ++i)
    for (std::int64_t j = 0; j <= p - c; ++j)
      EXPECT_EQ(shifted[0][0][i][j].item<float>(), scores[0][0][i][c - 1 - i + j].item<float>());
}

TEST(RelativeAttention, EqualsTheFormulaWrittenOut) {
  const std::int64_t d = 8, heads = 2, dk = d / heads, keys = 5, c = 2;
  RelativeAttention attention(d, heads, generator(1));
  const torch::NoGradGuard no_grad;
  std::map<std::string, at::Tensor> w;
  for (auto& item : attention.named_parameters()) {
    item.value().copy_(
        torch::empty_like(item.value()).uniform_(-0.5, 0.5, generator(std::hash<std::string>{}(item.key()))));
    w[item.key()] = item.value();
  }
  const at::Tensor all = torch::empty({1, keys, d}).uniform_(-1, 1, generator(3));
  const at::Tensor x = all.narrow(1, keys - c, c);
  const at::Tensor got = attention.forward(
      x, attention.keys_values(all), attention.project_positions(relative_positions(keys - 1, -(c - 1), d)),
      torch::zeros({1, 1, 1, keys}));
  const at::Tensor q = x[0].matmul(w["linear_q"].t()), kv = all[0].matmul(w["linear_kv"].t());
  at::Tensor mixed = torch::zeros({c, d});
  for (std::int64_t h = 0; h < heads; ++h) {
    const auto part = [&](const at::Tensor& t) { return t.narrow(-1, h * dk, dk); };
    at::Tensor scores = torch::zeros({c, keys});
    for (std::int64_t i = 0; i < c; ++i)
      for (std::int64_t j = 0; j < keys; ++j) {
        const std::int64_t distance = keys - c + i - j;
        const at::Tensor r = part(relative_positions(distance, distance, d)[0].matmul(w["linear_pos"].t()));
        scores[i][j] = ((part(q[i]) + w["pos_bias_u"][h][0]).dot(part(kv[j].narrow(0, 0, d))) +
                        (part(q[i]) + w["pos_bias_v"][h][0]).dot(r)) /
                       std::sqrt(double(dk));
      }
    mixed.narrow(1, h * dk, dk).copy_(scores.softmax(-1).matmul(part(kv.narrow(1, d, d))));
  }
  const at::Tensor expected = mixed.matmul(w["linear_out.weight"].t()) + w["linear_out.bias"];
  EXPECT_LT((got[0] - expected).abs().max().item<double>(), 1e-5);
}

TEST(CausalDepthwiseConv1d, SeesOnlyThePastAndEqualsTheSum) {
  CausalDepthwiseConv1d conv(3, 4, generator(2));
  const torch::NoGradGuard no_grad;
  const at::Tensor x = torch::empty({1, 9, 3}).uniform_(-1, 1, generator(5));
  const at::Tensor y = conv.forward(x);
  ASSERT_EQ(y.sizes(), (at::IntArrayRef{1, 6, 3}));
  for (std::int64_t t = 0; t < 6; ++t) {
    const at::Tensor expected = (x[0].narrow(0, t, 4).t() * conv.weight).sum(1) + conv.bias;
    EXPECT_LT((y[0][t] - expected).abs().max().item<double>(), 1e-6);
  }
}

TEST(AdamW, MinimisesAndResumesToTheSameBits) {
  const auto train = [](int stop_at) {
    Linear layer(4, 1, generator(7));
    AdamW optimizer(layer, {});
    const at::Tensor x = torch::empty({32, 4}).uniform_(-1, 1, generator(8)), y = x.sum(1, true) + 0.5;
    Archive saved;
    for (int i = 0; i < 300; ++i) {
      if (i == stop_at) {
        optimizer.save(saved);
        const torch::NoGradGuard no_grad;
        for (auto& p : layer.parameters()) p.fill_(9);
        AdamW fresh(layer, {});
        optimizer = std::move(fresh);
        optimizer.load(saved);
      }
      optimizer.zero_grad();
      (layer.forward(x) - y).square().mean().backward();
      optimizer.step(0.02);
    }
    return std::pair{(layer.forward(x) - y).square().mean().item<double>(), layer.weight.detach().clone()};
  };
  const auto whole = train(-1), stopped = train(123);
  EXPECT_LT(whole.first, 1e-3);
  EXPECT_TRUE(at::equal(whole.second, stopped.second));
}

}  // namespace
}  // namespace stream::nn
