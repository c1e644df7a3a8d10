/// The laws for the operators of plugins/bandits.
#include <gmock/gmock.h>

#include "bandits/bandits_arms.hpp"
#include "bandits/bandits_calendar.hpp"
#include "bandits/bandits_curves.hpp"
#include "bandits/bandits_ical.hpp"
#include "bandits/bandits_idle_times.hpp"
#include "bandits/bandits_recovering.hpp"
#include "bandits/bandits_replay.hpp"
#include "bandits/bandits_single_pass.hpp"
#include "bandits/bandits_world.hpp"
#include "bandits/study_recovering.hpp"
#include "bandits/study_single_pass.hpp"
#include "laws.hpp"

namespace stream::bandits {
namespace {

Packet event(std::int64_t time, Object record) { return Packet::of<Record>(Time{time}, std::move(record)); }

/// What a shop says to an algorithm that asks it: every arm, every answer, in parts.
std::vector<Packet> dialogue(const Object& params, int arms) {
  auto op = testing::make<SinglePassOperator>(params);
  std::vector<Packet> said;
  Random random(8);
  std::int64_t time = 0;
  const auto tell = [&](Object record) {
    testing::Collector out;
    said.push_back(event(time++, std::move(record)));
    op->process(said.back(), out);
    return out.packets[0].empty() ? Object{} : out.packets[0].back().as<Record>().object();
  };
  for (int i = 0; i < arms; ++i) {
    Object answer = tell({{"arm", i}, {"mean", random.uniform()}});
    while (answer.find("pull")) {
      const std::int64_t n = answer.find("n")->as_integer(), first = n / 3;
      const Value id = *answer.find("pull");
      if (first > 0)
        tell({{"arm", id}, {"n", first}, {"sum", random.uniform() * static_cast<double>(first)}});
      answer =
          tell({{"arm", id}, {"n", n - first}, {"sum", random.uniform() * static_cast<double>(n - first)}});
    }
  }
  return said;
}

TEST(Laws, BanditsSinglePass) {
  for (const std::string& name : algorithm_names()) {
    const Object params{{"algorithm", name}, {"arms", 30}, {"trials", 100000}};
    laws::check_all(laws::subject<SinglePassOperator>(params), dialogue(params, 20));
  }
}

TEST(Laws, BanditsSinglePassSimulated) {
  std::vector<Packet> arms;
  Random random(2);
  for (int i = 0; i < 40; ++i) arms.push_back(event(i, {{"arm", i}, {"mean", random.uniform()}}));
  const Object params{{"algorithm", "log-tower"}, {"arms", 200}, {"trials", 1000000}, {"world", "simulated"}};
  const laws::Subject subject = laws::subject<SinglePassOperator>(params);
  laws::resuming_is_exact(subject, arms);
  laws::output_is_punctual(subject, arms);
  laws::only_declared_lookahead_matters(subject, arms, event(0, {{"arm", "other"}, {"mean", 0.5}}));
}

TEST(Laws, BanditsWorld) {
  std::vector<Packet> events;
  for (int i = 0; i < 20; ++i) {
    events.push_back(event(3 * i, {{"arm", i}, {"mean", 0.05 * i}}));
    events.push_back(event(3 * i + 1, {{"pull", i}, {"n", 100}}));
    events.push_back(event(3 * i + 2, {{"arm", i}, {"action", "drop"}, {"dropped", Array{i}}}));
  }
  laws::check_all(laws::subject<WorldOperator>(), events);
}

TEST(Laws, BanditsReplay) {
  std::vector<Packet> log;
  Random random(3);
  for (int i = 0; i < 200; ++i) log.push_back(event(i, {{"arm", i % 4}, {"reward", random.uniform()}}));
  // A log with other rewards may be exhausted, and is refused then: law 1 is tried on what is not.
  const laws::Subject subject =
      laws::subject<ReplayOperator>(Object{{"algorithm", "uniform"}, {"trials", 20}});
  ASSERT_FALSE(laws::run(subject, log)[0].empty());
  laws::resuming_is_exact(subject, log);
  laws::output_is_punctual(subject, log);
  laws::state_is_bounded(subject, log);
}

template <typename Op>
auto source(Object params) {
  return [params = std::move(params)] {
    auto op = testing::make<Op>(params, {.seed = 2});
    return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
  };
}

TEST(Laws, BanditsArms) { laws::resuming_a_source_is_exact(source<ArmsSource>({{"count", 1000}})); }

TEST(Laws, BanditsStudySinglePass) {
  laws::resuming_a_source_is_exact(source<SinglePassStudy>({{"arms", Array{20, 40}}, {"seeds", 1}}));
}

/// A curve for each of some arms, as records.
std::vector<Packet> curve_records() {
  std::vector<Packet> packets;
  const auto source = testing::make<CurvesSource>({{"arms", 5}, {"idle", 8}});
  return testing::drain(dynamic_cast<Source&>(*source)).packets[0];
}

TEST(Laws, BanditsCalendar) {
  laws::check_all(laws::subject<CalendarOperator>(Object{{"slots", 2}, {"idle", 8}}), curve_records());
}

TEST(Laws, BanditsIcal) {
  std::vector<Packet> events;
  for (int i = 0; i < 12; ++i) events.push_back(event(i, {{"arm", i}, {"period", i + 1}, {"offset", i / 2}}));
  laws::check_all(laws::subject<IcalOperator>(), events);
}

TEST(Laws, BanditsIdleTimes) {
  std::vector<Packet> log;
  Random random(3);
  for (int i = 0; i < 40; ++i)
    log.push_back(
        event(i, {{"time", i}, {"arm", static_cast<std::int64_t>(random.below(5))}, {"reward", 0.5}}));
  const laws::Subject subject = laws::subject<IdleTimesOperator>();
  laws::resuming_is_exact(subject, log);
  laws::output_is_punctual(subject, log);
  laws::only_declared_lookahead_matters(subject, log,
                                        event(0, {{"time", 1000}, {"arm", "x"}, {"reward", 1}}));
}

TEST(Laws, BanditsRecovering) {
  std::vector<Packet> events;
  const auto world = testing::make<RecoveringArmsSource>({{"arms", 5}, {"idle", 6}, {"periods", 40}});
  events = testing::drain(dynamic_cast<Source&>(*world)).packets[0];
  for (Packet& packet : events) packet.time += Time{1};
  const laws::Subject subject = laws::subject<RecoveringOperator>(
      Object{{"slots", 2}, {"idle", 6}, {"phase", 7}, {"world", "simulated"}});
  ASSERT_EQ(laws::run(subject, events)[0].size(), 40u);
  laws::resuming_is_exact(subject, events);
  laws::output_is_punctual(subject, events);
  laws::only_declared_lookahead_matters(subject, events, event(0, {{"t", 100000}}));
}

TEST(Laws, BanditsCurves) { laws::resuming_a_source_is_exact(source<CurvesSource>({{"arms", 20}})); }
TEST(Laws, BanditsRecoveringArms) {
  laws::resuming_a_source_is_exact(source<RecoveringArmsSource>({{"periods", 300}}));
}

TEST(Laws, BanditsStudyRecovering) {
  laws::resuming_a_source_is_exact(source<RecoveringStudy>(
      {{"parts", Array{"offline", "tiny"}}, {"instances", 1}, {"periods", 100}, {"tiny", 1}}));
}

}  // namespace
}  // namespace stream::bandits
