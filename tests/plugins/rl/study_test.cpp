/// The study of stream-x, made small: what must hold exactly holds, and learners that had no time to learn
/// miss their bars.
#include "rl/study_stream_x.hpp"

#include <gmock/gmock.h>

#include "rl/sensor_series.hpp"
#include "stream/testing.hpp"

namespace stream::rl {
namespace {

struct Found {
  std::vector<Object> claims, points;
};

Found study(const Object& params, std::uint64_t seed = 0) {
  const auto op = testing::make<StreamXStudy>(params, {.node = "study", .seed = seed});
  Found found;
  const auto made = testing::drain(dynamic_cast<Source&>(*op));
  for (const Packet& packet : made.packets[0]) {
    const Object& record = packet.as<Record>().object();
    (record.find("claim") != nullptr ? found.claims : found.points).push_back(record);
  }
  return found;
}

bool held(const Object& claim) { return claim.find("held")->as_bool(); }

TEST(StreamXStudy, WhatIsExactHolds) {
  for (const std::uint64_t seed : {0u, 7u}) {
    const Found found = study({{"parts", Array{"exact"}}, {"cartpole_steps", 20'000}}, seed);
    ASSERT_EQ(found.claims.size(), 3u);
    for (const Object& claim : found.claims) EXPECT_TRUE(held(claim)) << Value(claim).dump();
    // The bound is reached: an update that is bounded by nothing would go beyond it.
    EXPECT_NEAR(found.claims[0].find("measured")->as_double(), 0.5, 1e-6);
  }
}

TEST(StreamXStudy, LearnersThatHadNoTimeToLearnMissTheirBars) {
  const Found found = study({{"parts", Array{"cartpole", "pendulum", "acrobot", "series"}},
                             {"seeds", 2},
                             {"cartpole_steps", 3000},
                             {"pendulum_steps", 3000},
                             {"acrobot_steps", 3000},
                             {"rows", 1000}});
  const auto missed = [&](const std::string& what) {
    for (const Object& claim : found.claims)
      if (claim.find("claim")->as_string().starts_with(what)) return !held(claim);
    ADD_FAILURE() << "no claim " << what;
    return false;
  };
  EXPECT_TRUE(missed("CartPole, stream Q"));
  EXPECT_TRUE(missed("Pendulum, stream AC: return"));
  EXPECT_TRUE(missed("Acrobot"));
  EXPECT_TRUE(missed("series, stream TD: RMSE over"));
  EXPECT_FALSE(found.points.empty());
}

TEST(StreamXStudy, AGameIsLearntFromItsPlanesAndNotByChance) {
  const auto game = [](std::int64_t steps) {
    return study({{"parts", Array{"game"}},
                  {"seeds", 1},
                  {"game", "breakout"},
                  {"game_steps", steps},
                  {"game_hidden", Array{8}}});
  };
  const Found found = game(1500);
  ASSERT_EQ(found.claims.size(), 2u);
  EXPECT_FALSE(held(found.claims[0])) << "no time to learn";
  EXPECT_TRUE(found.claims[1].find("held")->is_null());
  EXPECT_NEAR(found.claims[0].find("baseline")->as_double(), 0.4, 0.6) << "what chance earns";
}

TEST(StreamXStudy, EverySeedIsShown) {
  const Found found = study({{"parts", Array{"acrobot"}}, {"seeds", 4}, {"acrobot_steps", 2000}});
  const std::string measured = found.claims.at(0).find("measured")->as_string();
  EXPECT_EQ(std::count(measured.begin(), measured.end(), ' '), 5) << measured;
}

TEST(SensorSeries, IsTheSameForTheSameSeed) {
  EXPECT_EQ(sensor_series(500, 3), sensor_series(500, 3));
  EXPECT_NE(sensor_series(500, 3), sensor_series(500, 4));
}

}  // namespace
}  // namespace stream::rl
