/// What TimeGraphs is measured with, and what it is compared with.
#include <gmock/gmock.h>

#include "events/pitch_world.hpp"
#include "events/sequence_answerers.hpp"
#include "nn/device.hpp"

namespace stream::events {
namespace {

TEST(Measures, OfAnswers) {
  Answers a;
  a.probability = torch::tensor({{0.9f, 0.2f}, {0.6f, 0.4f}, {0.1f, 0.3f}, {0.7f, 0.1f}});
  a.answer = torch::tensor({{1.f, 0.f}, {0.f, 0.f}, {0.f, 0.f}, {1.f, 1.f}});
  a.question = {0, 1, 2, 3}, a.game = {0, 0, 1, 1};
  EXPECT_DOUBLE_EQ(exact_match(a), 0.5);
  EXPECT_DOUBLE_EQ(exact_match(a, true), 0.5);
  EXPECT_DOUBLE_EQ(micro_f1(a), 4.0 / 6);
  EXPECT_DOUBLE_EQ(area_under_curve(a), 1.0);
  a.question = {0, 0, 1, 1};  // two rows of one question are right together
  EXPECT_DOUBLE_EQ(exact_match(a), 0.0);
}

/// Neither is given less than the others: everything of a step, and nearly as many parameters.
TEST(SequenceAnswerers, HaveTheirShareOfParametersAndSeeEveryNumberAndEdge) {
  Games all;
  Random random(3);
  for (int i = 0; i < 3; ++i) all.push_back(play_pitch({.steps = 280}, random));
  const SequenceShape shape{1, false, 18000};
  const GruAnswerer gru(all, pitch_vocabulary(), shape, 1);
  const TransformerAnswerer transformer(all, pitch_vocabulary(), shape, 1);
  for (const auto count : {gru.parameter_count(), transformer.parameter_count()}) {
    EXPECT_GT(count, 18000 * 0.9);
    EXPECT_LT(count, 18000 * 1.1);
  }
  const auto answers = [&](const Games& games, SequenceAnswerer& of) {
    of.set_games(games);
    const QuestionId asked{0, 0};
    return nn::inference([&] { return of.logits(std::span(&asked, 1)).item<float>(); });
  };
  GruAnswerer again(all, pitch_vocabulary(), shape, 1);
  const float before = answers(all, again);
  Games moved = all, joined = all;
  moved[0].scenes[275].nodes[3].x[1] += 1;
  joined[0].scenes[275].edges[0].dst = (joined[0].scenes[275].edges[0].dst + 1) % 10;
  EXPECT_NE(answers(moved, again), before);
  EXPECT_NE(answers(joined, again), before);
  EXPECT_EQ(answers(all, again), before);
}

}  // namespace
}  // namespace stream::events
