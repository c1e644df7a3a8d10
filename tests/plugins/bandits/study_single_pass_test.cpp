/// The study, small: what is exact in it holds, and it can fail.
#include "bandits/study_single_pass.hpp"

#include <gmock/gmock.h>

#include "stream/testing.hpp"

namespace stream::bandits {
namespace {

std::vector<Object> claims(const Object& params) {
  auto op = testing::make<SinglePassStudy>(params, {.seed = 3});
  auto out = testing::drain(dynamic_cast<Source&>(*op));
  std::vector<Object> found;
  for (const Packet& p : out.packets[0])
    if (p.as<Record>().find("claim")) found.push_back(p.as<Record>().object());
  return found;
}

TEST(StudySinglePass, WhatIsExactHolds) {
  int exact = 0;
  for (const Object& c : claims({{"arms", Array{60, 120}}, {"seeds", 3}})) {
    const std::string& what = c.find("claim")->as_string();
    if (what.find("sum to exactly") == std::string::npos && what.find("no more arms") == std::string::npos &&
        what.find("exploration") == std::string::npos && what.find("dropped") == std::string::npos)
      continue;
    ++exact;
    EXPECT_TRUE(c.find("held")->as_bool()) << Value(c).dump();
  }
  EXPECT_EQ(exact, 4);
}

/// With a hundredth of the trials that the bars are for, uniform exploration is not so far behind.
TEST(StudySinglePass, BarsCanBeMissed) {
  bool missed = false;
  for (const Object& c : claims({{"arms", Array{20, 40}}, {"seeds", 2}, {"trials", 1.0}}))
    missed = missed || !c.find("held")->as_bool();
  EXPECT_TRUE(missed);
}

}  // namespace
}  // namespace stream::bandits
