/// The games of SirLLM's study: bars are stated, and missed by a model that has learnt nothing.
#include <gmock/gmock.h>

#include "llm/study_sir.hpp"
#include "stream/testing.hpp"

namespace stream::llm {
namespace {

std::vector<Object> claims_of(const Object& more, std::size_t& points) {
  Object params{{"parts", Array{"throws"}}, {"seeds", 1}, {"train", true}};
  for (const auto& [name, value] : more) params.set(name, value);
  const auto study = stream::testing::make<SirStudy>(params, Context{.node = "study", .seed = 2});
  const stream::testing::Collector got = stream::testing::drain(dynamic_cast<Source&>(*study));
  std::vector<Object> claims;
  points = 0;
  for (const Packet& packet : got.packets[0]) {
    const Record& record = packet.as<Record>();
    if (record.find("series") != nullptr)
      ++points;
    else
      claims.push_back(record.object());
  }
  return claims;
}

TEST(SirThrows, AModelThatHasLearntNothingMissesItsBars) {
  std::size_t points = 0;
  const auto claims = claims_of({{"games", 3}, {"rounds", 120}, {"game_steps", 1}}, points);
  ASSERT_EQ(claims.size(), 6u);
  EXPECT_EQ(points, 7u * 10);
  std::size_t held = 0, missed = 0;
  for (const Object& claim : claims)
    if (const Value* verdict = claim.find("held"); !verdict->is_null())
      ++(verdict->as_bool() ? held : missed);
  EXPECT_EQ(missed, 2u) << "in context, and eta 0.9 over eta 1";
  EXPECT_EQ(held, 1u) << "nobody beats the exact posterior";
}

TEST(SirThrows, AQuickRunIsNotJudged) {
  std::size_t points = 0;
  const auto claims = claims_of({{"games", 2}, {"rounds", 50}, {"game_steps", 1}, {"quick", true}}, points);
  ASSERT_EQ(claims.size(), 6u);
  for (const Object& claim : claims) {
    EXPECT_TRUE(claim.find("held")->is_null());
    EXPECT_FALSE(claim.find("measured")->is_null());
  }
}

}  // namespace
}  // namespace stream::llm
