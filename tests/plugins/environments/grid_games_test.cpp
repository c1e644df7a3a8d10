/// The games against their published rules, move by move.
#include <gmock/gmock.h>

#include "environments/asterix.hpp"
#include "environments/breakout.hpp"
#include "environments/freeway.hpp"
#include "environments/seaquest.hpp"
#include "environments/space_invaders.hpp"
#include "stream/error.hpp"
#include "world.hpp"

namespace stream {
namespace {

using testing::make_world;

/// Row and column of every set cell of a plane.
std::vector<std::pair<int, int>> cells(const Environment& world, const std::string& plane) {
  const Space& space = world.spaces().observation;
  const auto at = std::find(space.names.begin(), space.names.end(), plane) - space.names.begin();
  const auto planes = static_cast<std::size_t>(space.shape[2]);
  std::vector<std::pair<int, int>> out;
  for (std::size_t i = 0; i < 100; ++i) {
    if (world.observation()[i * planes + static_cast<std::size_t>(at)] == 1)
      out.emplace_back(static_cast<int>(i / 10), static_cast<int>(i % 10));
  }
  return out;
}

std::pair<int, int> cell(const Environment& world, const std::string& plane) {
  const auto all = cells(world, plane);
  if (all.size() != 1)
    throw std::runtime_error("'" + plane + "' is set " + std::to_string(all.size()) + " times");
  return all[0];
}

template <typename Game>
std::unique_ptr<Environment> unsticky(const Object& more = {}) {
  Object params = more;
  params.set("sticky", 0.0);
  return make_world<Game>(params);
}

/// A copy of the world's numbers, to change and put back.
std::vector<std::int64_t> numbers_of(const Environment& world) {
  Archive state;
  world.save(state);
  return state.group("world").get<std::vector<std::int64_t>>("numbers");
}

TEST(Breakout, TheBallFallsDiagonallyAndIsLostBesideThePaddle) {
  const auto game = unsticky<Breakout>();
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    game->reset(seed);
    EXPECT_EQ(cells(*game, "brick").size(), 30u);
    EXPECT_EQ(cell(*game, "paddle"), std::pair(9, 4));
    const int from = cell(*game, "ball").second, way = from == 0 ? 1 : -1;
    EXPECT_THAT(from, ::testing::AnyOf(0, 9));
    for (int step = 1; step <= 5; ++step) {
      EXPECT_FALSE(game->step(0).over());
      EXPECT_EQ(cell(*game, "ball"), std::pair(3 + step, from + way * step));
      EXPECT_EQ(cell(*game, "trail"), std::pair(2 + step, from + way * (step - 1)));
    }
    // From column 0 it comes down in column 6, far from the paddle. From column 9 it was right over it
    // before.
    const Transition next = game->step(0);
    EXPECT_EQ(next.terminated, from == 0);
    if (from == 9) {
      EXPECT_EQ(cell(*game, "ball"), std::pair(8, 3));
      game->step(0);
      EXPECT_EQ(cell(*game, "ball"), std::pair(7, 2));
      continue;
    }
    EXPECT_THROW(game->step(0), Error);
  }
}

TEST(Breakout, APaddleUnderTheBallSendsItBackAndBricksEarnOneEach) {
  const auto game = unsticky<Breakout>();
  game->reset(0);
  double earned = 0;
  std::size_t bricks = 30;
  for (int step = 0; step < 5000; ++step) {
    // Under where the ball is: it bounces straight back up from there.
    const int ball = cell(*game, "ball").second, paddle = cell(*game, "paddle").second;
    const Transition next = game->step(ball < paddle ? 1 : ball > paddle ? 2 : 0);
    ASSERT_FALSE(next.over()) << "after " << step << " steps";
    earned += next.reward;
    const std::size_t left = cells(*game, "brick").size();
    if (left > bricks) {
      EXPECT_EQ(bricks, 0u);
      EXPECT_EQ(left, 30u);
    } else {
      EXPECT_EQ(static_cast<double>(bricks - left), next.reward);
    }
    bricks = left;
  }
  EXPECT_GT(earned, 0);
}

TEST(Freeway, TheChickenMovesEveryThirdStepAndCarsKeepTheirPace) {
  const auto game = unsticky<Freeway>();
  game->reset(3);
  EXPECT_EQ(cell(*game, "chicken"), std::pair(9, 4));
  EXPECT_EQ(cells(*game, "car").size(), 8u);
  EXPECT_FALSE(game->step(2).over());  // down: there is nothing below
  EXPECT_EQ(cell(*game, "chicken"), std::pair(9, 4));
  game->step(1);
  game->step(1);
  EXPECT_EQ(cell(*game, "chicken"), std::pair(9, 4)) << "it rests";
  game->step(1);
  EXPECT_EQ(cell(*game, "chicken"), std::pair(8, 4));
  // Every car moves by one cell each |speed| + 1 steps: the countdown runs from |speed| to 0.
  const auto waiting = unsticky<Freeway>();
  waiting->reset(3);
  std::vector<int> moved(8, 0);
  auto before = cells(*waiting, "car");
  constexpr int kSteps = 60;
  for (int step = 0; step < kSteps; ++step) {
    waiting->step(0);
    const auto now = cells(*waiting, "car");
    for (std::size_t lane = 0; lane < 8; ++lane) moved[lane] += now[lane] != before[lane];
    before = now;
  }
  for (int speed = 1; speed <= 5; ++speed) {
    for (const auto& [row, column] : cells(*waiting, "speed " + std::to_string(speed)))
      EXPECT_EQ(moved[static_cast<std::size_t>(row) - 1], kSteps / (speed + 1)) << "row " << row;
  }
}

TEST(Freeway, OnlyTheFarSideEarnsAndTimeIsUpAfter2500Steps) {
  const auto game = unsticky<Freeway>();
  game->reset(1);
  double earned = 0;
  int row = 9;
  for (int step = 1; step <= 2500; ++step) {
    const Transition next = game->step(1);
    const int now = cell(*game, "chicken").first;
    if (next.reward != 0) {
      EXPECT_EQ(next.reward, 1);
      EXPECT_EQ(row, 1);
      EXPECT_EQ(now, 9);
    } else {
      EXPECT_TRUE(now == row || now == row - 1 || now == 9) << "row " << row << " to " << now;
    }
    earned += next.reward;
    row = now;
    EXPECT_EQ(next.truncated, step == 2500);
    EXPECT_FALSE(next.terminated);
  }
  EXPECT_GT(earned, 3);
}

TEST(Asterix, SomethingComesEveryTenthStepAndMovesEveryFifth) {
  const auto game = unsticky<Asterix>();
  int gold = 0, all = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    game->reset(seed);
    EXPECT_EQ(cell(*game, "player"), std::pair(5, 5));
    const auto seen = [&] { return cells(*game, "enemy").size() + cells(*game, "gold").size(); };
    for (int step = 1; step <= 10; ++step) game->step(0);
    EXPECT_EQ(seen(), 0u);
    game->step(0);
    EXPECT_EQ(seen(), 1u);
    gold += static_cast<int>(cells(*game, "gold").size());
    ++all;
  }
  EXPECT_NEAR(gold / static_cast<double>(all), 1.0 / 3, 0.1);
}

TEST(Asterix, GoldEarnsOneAndAnEnemyEndsTheEpisode) {
  const auto game = unsticky<Asterix>();
  int golds = 0, ends = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    game->reset(seed);
    for (int step = 0; step < 400; ++step) {
      const auto gold = cells(*game, "gold");
      const Transition next = game->step(0);
      const auto player = cell(*game, "player");
      if (next.reward != 0) {
        EXPECT_EQ(next.reward, 1);
        const auto near = [&](const auto& c) {
          return c.first == player.first && std::abs(c.second - player.second) <= 1;
        };
        EXPECT_TRUE(std::any_of(gold.begin(), gold.end(), near)) << "there was gold to come by";
        const auto now = cells(*game, "gold");
        EXPECT_EQ(std::find(now.begin(), now.end(), player), now.end()) << "it is gone";
        ++golds;
      }
      if (!next.over()) continue;
      EXPECT_TRUE(next.terminated);
      const auto now = cells(*game, "enemy");
      EXPECT_NE(std::find(now.begin(), now.end(), player), now.end()) << "the enemy is where the player is";
      ++ends;
      break;
    }
  }
  EXPECT_GT(golds, 20);
  EXPECT_GT(ends, 100);
}

TEST(SpaceInvaders, AliensMarchInStepTurnAtTheWallsAndComeDown) {
  const auto game = unsticky<SpaceInvaders>();
  game->reset(0);
  EXPECT_EQ(cells(*game, "alien").size(), 24u);
  EXPECT_EQ(cell(*game, "cannon"), std::pair(9, 5));
  EXPECT_EQ(cells(*game, "alien left").size(), 24u);
  auto corner = [&] { return cells(*game, "alien").front(); };
  EXPECT_EQ(corner(), std::pair(0, 2));
  std::vector<std::pair<int, int>> corners;
  for (int step = 0; step < 60; ++step) {
    const auto before = corner();
    // Not under a shot that comes down next.
    const int cannon = cell(*game, "cannon").second;
    const auto shots = cells(*game, "enemy bullet");
    const auto deadly = [&](int column) {
      return std::find(shots.begin(), shots.end(), std::pair(8, column)) != shots.end();
    };
    const int action = !deadly(cannon) ? 0 : cannon > 0 && !deadly(cannon - 1) ? 1 : 2;
    ASSERT_FALSE(game->step(action).over());
    if (corner() != before) corners.push_back(corner());
  }
  ASSERT_GE(corners.size(), 3u);
  EXPECT_EQ(corners[0], std::pair(0, 1));
  EXPECT_EQ(corners[1], std::pair(0, 0));
  EXPECT_EQ(corners[2], std::pair(1, 0)) << "down at the wall";
  if (corners.size() > 3) {
    EXPECT_EQ(corners[3], std::pair(1, 1)) << "and back";
  }
}

TEST(SpaceInvaders, AShotFliesUpARowAStepAndTakesAnAlienWithIt) {
  const auto game = unsticky<SpaceInvaders>();
  game->reset(0);
  double earned = 0;
  int steps = 0;
  while (earned == 0 && steps < 12) {
    const Transition next = game->step(3);
    ASSERT_FALSE(next.over());
    earned += next.reward;
    ++steps;
    if (earned == 0) {
      EXPECT_EQ(cells(*game, "own bullet").front(), std::pair(9 - steps, 5));
    }
  }
  // Row 9 to row 3 is six rows; the lowest alien stands in row 3 until the twelfth step.
  EXPECT_EQ(steps, 6);
  EXPECT_EQ(cells(*game, "alien").size(), 23u);
  // The next shot waited for five steps.
  EXPECT_EQ(cells(*game, "own bullet").size(), 1u);
}

TEST(Seaquest, AirRunsOutUnderWaterOnly) {
  const auto game = unsticky<Seaquest>();
  game->reset(0);
  EXPECT_EQ(cells(*game, "air gauge").size(), 10u);
  for (int step = 0; step < 300; ++step) ASSERT_FALSE(game->step(0).over()) << "at the surface nothing swims";
  EXPECT_EQ(cells(*game, "air gauge").size(), 10u);
  game->step(4);
  EXPECT_EQ(cell(*game, "front"), std::pair(1, 5));
  EXPECT_LT(cells(*game, "air gauge").size(), 11u);
}

TEST(Seaquest, ComingUpWithoutADiverEndsTheEpisode) {
  const auto game = unsticky<Seaquest>();
  game->reset(0);
  game->step(4);
  const Transition up = game->step(2);
  EXPECT_TRUE(up.terminated);
  EXPECT_EQ(up.reward, 0);
}

/// Puts divers aboard by way of the saved state: member 5 of `numbers`, behind the action before.
void take_aboard(Environment& world, std::int64_t divers) {
  Archive state;
  world.save(state);
  auto numbers = numbers_of(world);
  numbers.at(6) = divers;
  state.group("world").set("numbers", numbers);
  world.load(state);
}

TEST(Seaquest, DiversArePutAshoreOneByOneOrAllSixForTheAirThatIsLeft) {
  const auto game = unsticky<Seaquest>();
  for (const std::int64_t divers : {1, 3, 6}) {
    game->reset(0);
    game->step(4);
    take_aboard(*game, divers);
    const Transition up = game->step(2);
    EXPECT_FALSE(up.over());
    // One step under water cost one of 200: nine cells of ten are full.
    EXPECT_EQ(up.reward, divers == 6 ? 9 : 0);
    EXPECT_EQ(static_cast<std::int64_t>(cells(*game, "diver gauge").size()), divers == 6 ? 0 : divers - 1);
    EXPECT_EQ(cells(*game, "air gauge").size(), 10u);
  }
}

TEST(Seaquest, ShotsFlyFromTheFrontAndSinkEnemiesForOne) {
  const auto game = unsticky<Seaquest>();
  double earned = 0;
  int shots = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    game->reset(seed);
    for (int step = 0; step < 4; ++step) game->step(4);
    for (int step = 0; step < 150; ++step) {
      // Turns to whoever is in its row and shoots.
      const auto front = cell(*game, "front");
      int enemy = -1;
      for (const char* plane : {"fish", "submarine"})
        for (const auto& [row, column] : cells(*game, plane))
          if (row == front.first) enemy = column;
      const auto before = cells(*game, "fish").size() + cells(*game, "submarine").size();
      const Transition next = game->step(enemy < 0 || step % 2 == 0 ? 5 : enemy < front.second ? 1 : 3);
      shots += cells(*game, "own bullet").empty() ? 0 : 1;
      earned += next.reward;
      if (next.reward > 0) {
        EXPECT_LE(cells(*game, "fish").size() + cells(*game, "submarine").size(), before + 1);
      }
      if (next.over()) break;
    }
  }
  EXPECT_GT(shots, 100);
  EXPECT_GT(earned, 10);
}

TEST(GridGames, StickyActionsRepeatOneInTen) {
  const auto game = make_world<Breakout>();
  int repeated = 0, tries = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    game->reset(seed);
    game->step(2);
    const int before = cell(*game, "paddle").second;
    if (before != 5) continue;  // the very first was replaced by "none"
    game->step(1);
    repeated += cell(*game, "paddle").second == 6;
    ++tries;
  }
  EXPECT_NEAR(repeated / static_cast<double>(tries), 0.1, 0.03);
}

TEST(GridGames, AStateThatNoPlayLeadsToIsRefused) {
  const auto game = make_world<Seaquest>();
  game->reset(0);
  Archive good;
  game->save(good);
  const auto numbers = numbers_of(*game);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    for (const std::int64_t wrong : {std::int64_t{-5}, std::int64_t{1} << 40}) {
      Archive state = good;
      auto changed = numbers;
      changed[i] = wrong;
      Archive world;
      world.set("numbers", changed);
      state.put("world", std::make_shared<Archive>(world));
      EXPECT_THROW(game->load(state), Error) << "number " << i;
    }
  }
}

}  // namespace
}  // namespace stream
