/// The worlds that games are played in: what they ask, and what must not give the answer away.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "events/council_world.hpp"
#include "events/pitch_world.hpp"

namespace stream::events {
namespace {

TEST(PitchWorld, ActsAreFewAndGamesDifferInTheAnswerAlone) {
  Random random(1);
  double yes = 0, acts = 0, steps = 0;
  for (int i = 0; i < 60; ++i) {
    const Game game = play_pitch({}, random);
    ASSERT_EQ(game.scenes.size(), 320u);
    ASSERT_EQ(game.questions.size(), 1u);
    yes += static_cast<double>(game.questions[0].answer[0]);
    std::set<std::int64_t> busy;
    for (const Act& act : game.acts) busy.insert(act.step);
    acts += static_cast<double>(busy.size()), steps += 320;
    EXPECT_EQ(game.acts.back().kind, "goal");
    EXPECT_GE(game.gap, 5);
    EXPECT_LE(game.gap, 80);
  }
  EXPECT_NEAR(yes / 60, 0.5, 0.2);
  EXPECT_LT(acts / steps, 0.1);
  EXPECT_GT(acts / steps, 0.02);
}

/// Whoever sees no more than the shot must not know better than a coin: the answer lies in acts long before.
TEST(PitchWorld, WhoShootsSaysNothingAboutTheAnswer) {
  for (const std::int64_t players : {5, 7}) {
    Random random(2);
    std::map<std::string, std::array<double, 2>> answers;  // by the shooter's role: no, yes
    constexpr int kGames = 600;
    for (int i = 0; i < kGames; ++i) {
      const Game game = play_pitch({.players = players, .steps = 60, .most_gap = 10}, random);
      answers[game.acts.back().agent.substr(1)][game.questions[0].answer[0] > 0 ? 1 : 0] += 1;
    }
    double right = 0;
    for (const auto& [role, count] : answers) right += std::max(count[0], count[1]);
    EXPECT_EQ(answers.size(), static_cast<std::size_t>(players - 2));
    EXPECT_LT(right / kGames, 0.57) << players;  // .77 where passes to the front end at the front player
  }
}

TEST(CouncilWorld, AsksForTwoOrThreeSpiesAfterEachRoundFromTheThirdOn) {
  Random random(2);
  for (int i = 0; i < 20; ++i) {
    const Game game = hold_council({}, random);
    ASSERT_EQ(game.questions.size(), 3u);
    for (const Question& question : game.questions) {
      ASSERT_EQ(question.answer.size(), 8u);
      EXPECT_EQ(question.answer.back(), -1);
      const auto spies = std::count(question.answer.begin(), question.answer.end(), 1.f);
      EXPECT_GE(spies, 2);
      EXPECT_LE(spies, 3);
      EXPECT_LT(question.step, static_cast<std::int64_t>(game.scenes.size()));
    }
  }
}

}  // namespace
}  // namespace stream::events
