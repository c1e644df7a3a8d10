/// The operators for recovering rewards, as recipes use them.
#include <gmock/gmock.h>

#include "bandits/bandits_calendar.hpp"
#include "bandits/bandits_ical.hpp"
#include "bandits/bandits_idle_times.hpp"
#include "bandits/bandits_recovering.hpp"
#include "stream/error.hpp"
#include "stream/testing.hpp"

namespace stream::bandits {
namespace {

using ::testing::HasSubstr;

struct Told {
  std::vector<std::string> lines, second;
};
Told tell(Operator& op, const std::vector<std::string>& events, bool finish = true) {
  testing::Collector out(2);
  for (const std::string& event : events) op.process(Packet::of<Record>(Time{1}, Buffer::own(event)), out);
  if (finish) op.finish(out);
  Told told;
  for (const Packet& p : out.packets[0])
    told.lines.emplace_back(p.is(PayloadType::kText) ? p.as<Text>().str() : p.as<Record>().json());
  for (const Packet& p : out.packets[1]) told.second.emplace_back(p.as<Record>().json());
  return told;
}

std::string refusal(Operator& op, const std::string& event) {
  try {
    tell(op, {event}, false);
  } catch (const Error& e) {
    return e.what();
  }
  return "taken";
}

TEST(CalendarOperator, PlansTheTwoArmsInTurn) {
  const auto op = testing::make<CalendarOperator>({{"slots", 1}, {"idle", 2}});
  const Told told =
      tell(*op, {R"({"arm": "a", "idle": 1, "reward": 0.2})", R"({"arm": "a", "idle": 2, "reward": 0.9})",
                 R"({"arm": "a", "idle": 2, "reward": 1.1})", R"({"arm": 7, "idle": 1, "reward": 0.3})"});
  ASSERT_EQ(told.lines.size(), 2u);
  EXPECT_THAT(told.lines[0], HasSubstr(R"("arm": "a", "period": 2)"));
  EXPECT_THAT(told.lines[1], HasSubstr(R"("arm": 7, "period": 2)"));
  const Value summary = Value::parse(told.second.at(0));
  EXPECT_NEAR(summary.as_object().find("value")->as_double(), 0.65, 1e-12);
  EXPECT_NEAR(summary.as_object().find("bound")->as_double(), 0.65, 1e-12);
  EXPECT_THAT(refusal(*op, R"({"arm": 1, "idle": 0, "reward": 1})"), HasSubstr("'idle' is a whole number"));
  EXPECT_THAT(refusal(*op, R"({"arm": 1, "idle": 1, "reward": -1})"), HasSubstr("below 0"));
}

TEST(IdleTimesOperator, DerivesThemFromALog) {
  const auto op = testing::make<IdleTimesOperator>({{"period", 60.0}, {"idle", 4}});
  const Told told = tell(
      *op, {R"({"time": 30, "arm": "a", "reward": 1})", R"({"time": 61, "arm": "b", "reward": 0})",
            R"({"time": 150.5, "arm": "a", "reward": 0.5})", R"({"time": 6000, "arm": "a", "reward": 1})"});
  EXPECT_THAT(told.lines, ::testing::ElementsAre(R"({"arm": "a", "idle": 2, "reward": 0.5})",
                                                 R"({"arm": "a", "idle": 4, "reward": 1.0})"));
  EXPECT_THAT(refusal(*op, R"({"time": 10, "arm": "a", "reward": 1})"), HasSubstr("goes back in time"));
  EXPECT_THAT(refusal(*op, R"({"time": 6001, "arm": "a", "reward": 1})"), HasSubstr("twice in period 100"));
  EXPECT_THAT(refusal(*op, R"({"time": 7000, "arm": "a", "reward": 3})"),
              HasSubstr("outside of the declared bounds"));
}

TEST(IcalOperator, WritesRecurringEvents) {
  const auto op = testing::make<IcalOperator>({{"start", "20261231T230000Z"}, {"period", "1h"}});
  const Told told = tell(*op, {R"({"arm": "buy, now; really", "period": 4, "offset": 2})"});
  EXPECT_THAT(told.lines,
              ::testing::ElementsAre(
                  "BEGIN:VCALENDAR\r", "VERSION:2.0\r", "PRODID:-//stream//bandits.ical//EN\r",
                  "BEGIN:VEVENT\r", ::testing::StartsWith("UID:"), "DTSTAMP:20261231T230000Z\r",
                  "DTSTART:20270101T010000Z\r", "DURATION:PT1M\r", "RRULE:FREQ=MINUTELY;INTERVAL=240\r",
                  "SUMMARY:buy\\, now\\; really\r", "END:VEVENT\r", "END:VCALENDAR\r"));
  EXPECT_THAT(refusal(*op, R"({"arm": 1, "period": 0, "offset": 0})"),
              HasSubstr("'period' is a whole number"));
  EXPECT_THROW(testing::make<IcalOperator>({{"start", "2026-12-31"}}), Error);
}

TEST(RecoveringOperator, ADialogue) {
  const auto op = testing::make<RecoveringOperator>({{"slots", 1}, {"idle", 4}, {"phase", 8}});
  EXPECT_THAT(refusal(*op, R"({"t": 0})"), HasSubstr("before {\"arms\": [ids]} has come"));
  EXPECT_THAT(refusal(*op, R"({"arms": ["a", "a"]})"), HasSubstr("declared twice"));
  Told told = tell(*op, {R"({"arms": ["a", "b"]})", R"({"t": 0})"}, false);
  ASSERT_EQ(told.lines.size(), 1u);
  EXPECT_THAT(told.lines[0], HasSubstr(R"({"t": 0, "pull": [")"));
  EXPECT_EQ(told.second.size(), 2u) << "the curves of both arms at the start of a phase";
  const std::string pulled = told.lines[0].find("\"a\"") != std::string::npos ? "a" : "b";
  const std::string other = pulled == "a" ? "b" : "a";
  EXPECT_THAT(refusal(*op, R"({"arm": ")" + other + R"(", "reward": 1})"),
              HasSubstr("was not pulled in period 0"));
  EXPECT_THAT(refusal(*op, R"({"arm": "c", "reward": 1})"), HasSubstr("was not declared"));
  EXPECT_THAT(refusal(*op, R"({"arm": ")" + pulled + R"(", "reward": 2})"),
              HasSubstr("outside of the declared bounds"));
  EXPECT_THAT(refusal(*op, R"({"arm": ")" + pulled + R"(", "reward": 1, "t": 3})"), HasSubstr("of period 3"));
  EXPECT_EQ(refusal(*op, R"({"arm": ")" + pulled + R"(", "reward": 1})"), "taken");
  EXPECT_THAT(refusal(*op, R"({"arm": ")" + pulled + R"(", "reward": 1})"), HasSubstr("or was paid already"));
  EXPECT_THAT(refusal(*op, R"({"t": 0})"), HasSubstr("begins after period 0"));
  EXPECT_EQ(refusal(*op, R"({"t": 5})"), "taken");
}

TEST(RecoveringOperator, ASimulatedWorldReportsRegret) {
  const auto op = testing::make<RecoveringOperator>({{"slots", 1}, {"idle", 2}, {"world", "simulated"}});
  EXPECT_THAT(refusal(*op, R"({"arms": ["a", "b"], "curves": [[0.5, 0.2], [1]]})"),
              HasSubstr("falls with idle time"));
  std::vector<std::string> events{R"({"arms": ["a", "b"], "curves": [[0, 1], [0, 1]]})"};
  for (int t = 0; t < 4000; ++t) events.push_back(R"({"t": )" + std::to_string(t) + "}");
  const Told told = tell(*op, events);
  // In turn they pay 1 each period, always one of them pays nothing.
  EXPECT_LT(Value::parse(told.lines.back()).as_object().find("regret")->as_double(), 400);
}

}  // namespace
}  // namespace stream::bandits
