/// diffusion_policy.act: records in, records out.
#include <gmock/gmock.h>

#include "diffusion_policy/act.hpp"
#include "policies.hpp"
#include "program/program.hpp"
#include "stream/error.hpp"
#include "stream/testing.hpp"

namespace stream::diffusion_policy {
namespace {

using stream::testing::ScratchFolder;
using testing::small_policy;

class Act : public ::testing::Test {
 protected:
  void SetUp() override { save_policy(path(), small_policy()); }
  std::string path() const { return (folder_ / "policy.h5").string(); }
  Object params(Object more = {}) const {
    more.set("model", path());
    return more;
  }
  static Packet tick(std::int64_t t, bool reset = false) {
    Array obs;
    for (int i = 0; i < 9; ++i) obs.emplace_back(0.1 * static_cast<double>((t * 7 + i) % 11));
    Object record{{"obs", std::move(obs)}};
    if (reset) record.set("reset", true);
    return Packet::of<Record>(Time{t}, std::move(record));
  }
  static std::vector<Packet> ticks(std::int64_t count) {
    std::vector<Packet> out;
    for (std::int64_t t = 0; t < count; ++t) out.push_back(tick(t));
    return out;
  }
  ScratchFolder folder_;
};

TEST_F(Act, GivesFourActionsEveryFourTicksFromTwelveNetworkCalls) {
  const auto op = stream::testing::make<ActOperator>(params());
  const auto out = stream::testing::run(*op, ticks(10)).packets[0];
  ASSERT_EQ(out.size(), 12u);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Record& line = out[i].as<Record>();
    EXPECT_EQ(line.at("tick").as_integer(), static_cast<std::int64_t>(i));
    EXPECT_EQ(line.at("action").as_array().size(), 2u);
    EXPECT_EQ(out[i].time, Time{static_cast<std::int64_t>(i) / 4 * 4});
    EXPECT_EQ(line.find("calls") != nullptr, i % 4 == 0);
    if (i % 4 == 0) {
      EXPECT_EQ(line.at("calls").as_integer(), 12);
    }
  }
}

TEST_F(Act, AnEpisodeBegunAnewForgetsTheOneBefore) {
  const auto op = stream::testing::make<ActOperator>(params());
  std::vector<Packet> in = ticks(6);
  in.push_back(tick(6, true));
  const auto out = stream::testing::run(*op, in).packets[0];
  ASSERT_EQ(out.size(), 12u);
  EXPECT_EQ(out[8].as<Record>().at("tick").as_integer(), 0);
}

TEST_F(Act, RobotsOfABatchActTogether) {
  const auto op = stream::testing::make<ActOperator>(params({{"robots", 2}}));
  Array both;
  for (int b = 0; b < 2; ++b) both.emplace_back(Array(9, Value(0.1 * b)));
  const auto out =
      stream::testing::run(*op, {Packet::of<Record>(Time{0}, Object{{"obs", std::move(both)}})}).packets[0];
  ASSERT_EQ(out.size(), 4u);
  const Array& action = out[0].as<Record>().at("action").as_array();
  ASSERT_EQ(action.size(), 2u);
  EXPECT_EQ(action[0].as_array().size(), 2u);
  EXPECT_NE(action[0], action[1]);
}

TEST_F(Act, WrongObservationsAreNamedAndChangeNothing) {
  const auto op = stream::testing::make<ActOperator>(params());
  const auto other = stream::testing::make<ActOperator>(params());
  stream::testing::Collector out, expected;
  op->process(tick(0), out);
  other->process(tick(0), expected);
  for (Object wrong : {Object{{"obs", Array(8, Value(0.0))}}, Object{{"obs", "x"}},
                       Object{{"observation", Array{}}}, Object{{"obs", Array(9, Value(1e300))}}})
    EXPECT_THROW(op->process(Packet::of<Record>(Time{1}, std::move(wrong)), out), Error);
  for (std::int64_t t = 1; t < 9; ++t) {
    op->process(tick(t), out);
    other->process(tick(t), expected);
  }
  ASSERT_EQ(out.packets[0].size(), expected.packets[0].size());
  for (std::size_t i = 0; i < out.packets[0].size(); ++i)
    EXPECT_EQ(stream::testing::bytes_of(*out.packets[0][i].payload),
              stream::testing::bytes_of(*expected.packets[0][i].payload));
}

TEST_F(Act, SamplingMustFitTheTraining) {
  EXPECT_THROW(stream::testing::make<ActOperator>(params({{"sampling", "direct"}})), Error);
  save_policy(path() + "2", small_policy({.objective = Objective::kCloning}));
  EXPECT_THROW(stream::testing::make<ActOperator>({{"model", path() + "2"}}), Error);
  EXPECT_NO_THROW(stream::testing::make<ActOperator>({{"model", path() + "2"}, {"sampling", "direct"}}));
}

}  // namespace
}  // namespace stream::diffusion_policy
