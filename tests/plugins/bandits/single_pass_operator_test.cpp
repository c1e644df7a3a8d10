/// bandits.single_pass as a shop sees it: records in, records out, and what bad ones get.
#include "bandits/bandits_single_pass.hpp"

#include <gmock/gmock.h>

#include "bandits/bandits_replay.hpp"
#include "bandits/bandits_world.hpp"
#include "stream/error.hpp"
#include "stream/testing.hpp"

namespace stream::bandits {
namespace {

using ::testing::HasSubstr;

/// Feeds lines of JSON one by one and remembers what was said to each.
class Shop {
 public:
  explicit Shop(const Object& params) : op_(testing::make<SinglePassOperator>(params, {.seed = 1})) {}
  std::vector<std::string> tell(const std::string& json) {
    testing::Collector out;
    Packet packet = Packet::of<Record>(Time{number_}, Buffer::own(json));
    packet.sequence = static_cast<std::uint64_t>(number_++);
    op_->process(std::move(packet), out);
    return lines(out);
  }
  std::vector<std::string> finish() {
    testing::Collector out;
    op_->finish(out);
    return lines(out);
  }
  std::string refusal(const std::string& json) {
    const Archive before = testing::saved(*op_);
    try {
      tell(json);
    } catch (const Error& e) {
      EXPECT_EQ(testing::saved(*op_).bytes(), before.bytes());
      return e.what();
    }
    return "taken";
  }
  Operator& op() { return *op_; }

 private:
  static std::vector<std::string> lines(const testing::Collector& out) {
    std::vector<std::string> all;
    for (const Packet& p : out.packets[0]) all.emplace_back(p.as<Record>().json());
    return all;
  }
  std::unique_ptr<Operator> op_;
  std::int64_t number_ = 0;
};

Object uniform(int arms, int trials) {
  return {{"algorithm", "uniform"}, {"arms", arms}, {"trials", trials}};
}

TEST(SinglePassOperator, ADialogue) {
  Shop shop(uniform(2, 100));
  auto said = shop.tell(R"({"arm": "red"})");
  ASSERT_EQ(said.size(), 1u);
  const Value pull = Value::parse(said[0]);
  EXPECT_EQ(*pull.as_object().find("pull"), Value("red"));
  const std::string n = pull.as_object().find("n")->dump();
  said = shop.tell(R"({"arm": "red", "n": )" + n + R"(, "sum": 3})");
  EXPECT_THAT(said, ::testing::ElementsAre(
                        R"({"arm": "red", "action": "keep", "dropped": [], "held": 1, "pulls": )" + n + "}"));
  shop.tell(R"({"arm": 7})");
  said = shop.tell(R"({"arm": 7, "n": )" + n + R"(, "sum": 1})");
  ASSERT_EQ(said.size(), 2u) << "the second of two arms: the decision, and the commitment at once";
  EXPECT_THAT(said[0], HasSubstr(R"("action": "drop", "dropped": [7])"));
  EXPECT_THAT(said[1], HasSubstr(R"({"commit": "red")"));
  EXPECT_THAT(said[1], HasSubstr(R"("complete": true)"));
  EXPECT_THAT(shop.refusal(R"({"arm": 8})"), HasSubstr("arm 8 is announced after the end"));
  EXPECT_TRUE(shop.finish().empty());
}

TEST(SinglePassOperator, BadEventsAreNamedAndChangeNothing) {
  Shop shop(uniform(10, 1000));
  EXPECT_THAT(shop.refusal("{}"), HasSubstr("the record has no member 'arm'"));
  EXPECT_THAT(shop.refusal(R"({"arm": 1.5})"), HasSubstr("string or an integer"));
  EXPECT_THAT(shop.refusal(R"({"arm": ")" + std::string(2000, 'x') + "\"}"), HasSubstr("2000 bytes"));
  EXPECT_THAT(shop.refusal(R"({"end": true})"), HasSubstr("before the first"));
  EXPECT_THAT(shop.refusal(R"({"arm": 1, "n": 1, "sum": 1})"), HasSubstr("without having been asked for"));
  shop.tell(R"({"arm": "a"})");
  EXPECT_THAT(shop.refusal(R"({"arm": "b"})"), HasSubstr("pulls of arm \"a\" are awaited"));
  EXPECT_THAT(shop.refusal(R"({"arm": "b", "reward": 1})"), HasSubstr("\"b\" is not held"));
  EXPECT_THAT(shop.refusal(R"({"arm": "a", "reward": null})"), HasSubstr("'reward' is a number, found null"));
  EXPECT_THAT(shop.refusal(R"({"arm": "a", "reward": 1.5})"),
              HasSubstr("reward 1.5 is outside of the declared bounds"));
  EXPECT_THAT(shop.refusal(R"({"arm": "a", "n": 2, "sum": -0.5})"),
              HasSubstr("outside of the declared bounds"));
  EXPECT_THAT(shop.refusal(R"({"arm": "a", "n": 0, "sum": 0})"), HasSubstr("'n' is a whole number from 1"));
  EXPECT_THAT(shop.refusal(R"({"arm": "a", "n": 100000, "sum": 0})"), HasSubstr("expected 1 to"));
  EXPECT_TRUE(shop.tell(R"({"arm": "a", "reward": 1})").empty()) << "the first of many";
}

TEST(SinglePassOperator, NotANumberIsRefused) {
  Shop shop(uniform(10, 1000));
  shop.tell(R"({"arm": "a"})");
  testing::Collector out;
  const Object event{{"arm", "a"}, {"reward", std::numeric_limits<double>::quiet_NaN()}};
  EXPECT_THROW(shop.op().process(Packet::of<Record>(Time{9}, event), out), Error);
  EXPECT_TRUE(shop.tell(R"({"arm": "a", "reward": 0})").empty());
}

TEST(SinglePassOperator, WithoutAnEndTheBestSoFarIsCommittedTo) {
  Shop shop(uniform(10, 100));
  const Value pull = Value::parse(shop.tell(R"({"arm": "a"})")[0]);
  shop.tell(R"({"arm": "a", "n": )" + pull.as_object().find("n")->dump() + R"(, "sum": 3})");
  shop.tell(R"({"arm": "b"})");
  const auto said = shop.finish();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_THAT(said[0], HasSubstr(R"({"commit": "a")"));
  EXPECT_THAT(said[0], HasSubstr(R"("complete": false)"));
}

TEST(SinglePassOperator, RewardsInOtherUnits) {
  Object params = uniform(1, 10);
  params.set("low", -5.0).set("high", 5.0);
  Shop shop(params);
  shop.tell(R"({"arm": 1, "mean": 2.0})");
  for (int i = 0; i < 20; ++i) {
    const auto said = shop.tell(R"({"arm": 1, "reward": -5})");
    if (!said.empty() && said.back().find("done") != std::string::npos) {
      EXPECT_EQ(said.back(), R"({"done": true, "pulls": 10, "mean": -5.0})");
      return;
    }
  }
  FAIL() << "ten trials did not end";
}

/// The outside program answers every pull with a mean of 1/2.
TEST(SinglePassOperator, AnOutsideProgramAnswers) {
  const std::string world =
      R"(while read -r line; do case "$line" in *'"pull"'*) )"
      R"(n=${line##*: }; n=${n%\}}; id=${line#*: }; id=${id%%,*}; echo "{\"arm\": $id, \"n\": $n, \"sum\": $((n / 2))}";; esac; done)";
  Object params = uniform(3, 1000);
  params.set("world", "command").set("command", world);
  Shop shop(params);
  EXPECT_THAT(shop.tell(R"({"arm": "a"})").at(0), HasSubstr(R"("action": "keep")"));
  EXPECT_THAT(shop.tell(R"({"arm": "b"})").at(0), HasSubstr(R"("action": "drop")"));
  EXPECT_THAT(shop.finish().at(0), HasSubstr(R"({"commit": "a")"));
}

TEST(SinglePassOperator, AWorldThatDiesOrHangs) {
  Object params = uniform(3, 1000);
  params.set("world", "command").set("command", "exit 3");
  EXPECT_THAT(Shop(params).refusal(R"({"arm": "a"})"), HasSubstr("the world 'exit 3' ended"));
  params.set("command", "sleep 60").set("patience", "100ms");
  EXPECT_THAT(Shop(params).refusal(R"({"arm": "a"})"), HasSubstr("said nothing for 100ms"));
}

TEST(SinglePassOperator, ParametersThatDoNotFit) {
  EXPECT_THROW(Shop({{"arms", 10}, {"trials", 5}}), Error);
  EXPECT_THROW(Shop({{"arms", 10}, {"trials", 50}, {"low", 1.0}}), Error);
  EXPECT_THROW(Shop({{"arms", 10}, {"trials", 50}, {"world", "command"}}), Error);
  EXPECT_THROW(Shop({{"arms", 10}, {"trials", 50}, {"constants", "theory"}}), Error);
}

TEST(WorldOperator, RefusesArmsThatAreGone) {
  auto op = testing::make<WorldOperator>({}, {.seed = 1});
  testing::Collector out;
  const auto tell = [&](const char* json) {
    op->process(Packet::of<Record>(Time{0}, Buffer::own(std::string(json))), out);
  };
  tell(R"({"arm": 1, "mean": 0.5})");
  tell(R"({"pull": 1, "n": 10})");
  ASSERT_EQ(out.packets[0].size(), 1u);
  tell(R"({"arm": 1, "action": "drop", "dropped": [1], "held": 0, "pulls": 10})");
  EXPECT_THROW(tell(R"({"pull": 1, "n": 10})"), Error);
}

std::vector<std::string> replayed(const std::string& trials, int rewards) {
  auto op = testing::make<ReplayOperator>({{"algorithm", "uniform"}, {"trials", Value::parse(trials)}});
  testing::Collector out;
  // Arm "b" pays twice as much as "a".
  for (int i = 0; i < rewards; ++i)
    for (const char* arm : {"a", "b"})
      op->process(Packet::of<Record>(Time{i}, Object{{"arm", arm}, {"reward", *arm == 'a' ? 0.25 : 0.5}}),
                  out);
  op->finish(out);
  std::vector<std::string> lines;
  for (const Packet& p : out.packets[0]) lines.emplace_back(p.as<Record>().json());
  return lines;
}

TEST(Replay, PlaysALogAndRefusesWhenItIsExhausted) {
  const auto lines = replayed("0", 300);
  ASSERT_EQ(lines.size(), 3u);
  const Value commit = Value::parse(lines.back());
  EXPECT_EQ(*commit.as_object().find("commit"), Value("b"));
  EXPECT_EQ(commit.as_object().find("mean")->as_double(), 0.5);
  EXPECT_EQ(commit.as_object().find("logged_mean")->as_double(), 0.5);
  try {
    replayed("1000000000", 20);
    FAIL() << "made up rewards";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("the log is exhausted"));
  }
}

}  // namespace
}  // namespace stream::bandits
