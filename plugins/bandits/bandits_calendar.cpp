#include "bandits/bandits_calendar.hpp"

#include <algorithm>

#include "bandits/isotonic.hpp"
#include "bandits/recovering_simulation.hpp"
#include "stream/error.hpp"

namespace stream::bandits {

namespace {
/// Periods over which the greedy policy is tried, for comparison.
constexpr std::int64_t kGreedyPeriods = 2000;
}  // namespace

Spec CalendarOperator::spec() {
  return Spec("bandits.calendar",
              "Plan which arms to pull in which period, from curves of rewards that recover.")
      .input<Record>(
          "in",
          "{\"arm\": id, \"idle\": periods since its last pull, \"reward\": r}; of several with the "
          "same arm and idle time the mean counts")
      .output<Record>("calendar",
                      "{\"arm\": id, \"period\", \"offset\", \"slot\", \"reward\": for each pull}: the arm "
                      "is pulled at t with t mod period = offset")
      .output<Record>(
          "summary",
          "{\"value\": reward for each period, \"bound\": what no schedule exceeds, \"ratio\", "
          "\"greedy\": reward of pulling what pays most at the moment, \"arms\", \"pulled\", \"slots\"}")
      .param("slots", std::int64_t{1}, "arms that may be pulled in one period", range(1, 1e5))
      .param("idle", std::int64_t{32},
             "periods after which an arm has recovered; longer idle times count as this", range(1, 4096),
             unit("periods"))
      .contract({.lookahead = kUnbounded, .state = Growth::kLinear, .grows_with = "arms"})
      .about(
          "Curves are made nondecreasing in idle time (a least-squares fit, samples of one cell weighing as "
          "many "
          "as they are); an idle time that nothing is known of pays as the next shorter one. The plan takes "
          "the "
          "pull rates at which the upper bound is reached, rounds periods up to odd parts times powers of "
          "two, "
          "and lays arms of one odd part into slots without a clash: no more than `slots` are pulled in any "
          "period, and the value is exact. Its advantage over greedy lies in the worst case and in many "
          "slots: "
          "for smooth curves and few slots, greedy is as good or better, and stands in the summary.")
      .paper(
          "Simchi-Levi, Zheng, Zhu, Dynamic Planning and Learning under Recovering Rewards, ICML 2021, arXiv "
          "2106.14813")
      .example("A calendar for made-up curves", R"(title = "Twelve notifications, two a day"
[nodes.curves]
use  = "bandits.curves"
arms = 12
idle = 16

[nodes.plan]
use   = "bandits.calendar"
from  = "curves"
slots = 2
idle  = 16

[nodes.out]
use  = "jsonl.write"
from = "plan.calendar"

[nodes.summary]
use  = "jsonl.write"
from = "plan.summary"
path = "summary.jsonl"
)");
}

CalendarOperator::CalendarOperator(const Params& p)
    : slots_(p.get<std::size_t>("slots")), idle_(p.get<std::size_t>("idle")) {}

void CalendarOperator::process(Packet in, Output&) {
  const auto& record = in.as<Record>();
  std::string id = arm_id(record.at("arm"));
  const Value& idle = record.at("idle");
  if (!idle.is_integer() || idle.as_integer() < 1)
    throw bad_data("member 'idle' is a whole number of periods from 1, found " + idle.dump());
  const double reward = number_of(record.at("reward"), "reward");
  if (reward < 0) throw bad_data("member 'reward' is below 0: resting would be better than such a pull");
  const auto [found, fresh] = index_.try_emplace(id, arms_.size());
  if (fresh) arms_.push_back({std::move(id), std::vector<double>(idle_), std::vector<std::int64_t>(idle_)});
  const std::size_t cell = std::min(idle_, static_cast<std::size_t>(idle.as_integer())) - 1;
  arms_[found->second].sums[cell] += reward;
  ++arms_[found->second].counts[cell];
  time_ = in.time;
}

RecoveryCurves CalendarOperator::curves() const {
  RecoveryCurves curves(arms_.size(), idle_);
  for (std::size_t arm = 0; arm < arms_.size(); ++arm) {
    const auto fit = isotonic(arms_[arm].sums, arms_[arm].counts, 0);
    for (std::size_t d = 1; d <= idle_; ++d) curves.set(arm, d, fit[d - 1]);
  }
  return curves;
}

void CalendarOperator::finish(Output& out) {
  if (arms_.empty()) return;
  if (time_ < kTimeMax) ++time_;  // that nothing follows is known after the last record only
  const RecoveryCurves known = curves();
  const Calendar calendar = plan_calendar(known, slots_);
  for (const CalendarEntry& e : calendar.entries) {
    out.emit(0, Packet::of<Record>(time_, Object{{"arm", id_value(arms_[e.arm].id)},
                                                 {"period", static_cast<std::int64_t>(e.period)},
                                                 {"offset", static_cast<std::int64_t>(e.offset)},
                                                 {"slot", static_cast<std::int64_t>(e.slot)},
                                                 {"reward", known.at(e.arm, e.period)}}));
  }
  const double greedy =
      run_greedy(known, slots_, kGreedyPeriods).reward / static_cast<double>(kGreedyPeriods);
  out.emit(1, Packet::of<Record>(time_,
                                 Object{{"value", calendar.value},
                                        {"bound", calendar.bound},
                                        {"ratio", calendar.bound > 0 ? calendar.value / calendar.bound : 1.0},
                                        {"greedy", greedy},
                                        {"arms", static_cast<std::int64_t>(arms_.size())},
                                        {"pulled", static_cast<std::int64_t>(calendar.entries.size())},
                                        {"slots", static_cast<std::int64_t>(slots_)}}));
}

void CalendarOperator::save(Archive& state) const {
  state.set("time", time_);
  state.set("arms", static_cast<std::uint64_t>(arms_.size()));
  for (std::size_t i = 0; i < arms_.size(); ++i) {
    Archive& arm = state.group(std::to_string(i));
    arm.set("id", arms_[i].id);
    arm.set("sums", arms_[i].sums);
    arm.set("counts", arms_[i].counts);
  }
}

void CalendarOperator::load(const Archive& state) {
  time_ = state.get<Duration>("time");
  for (std::uint64_t i = 0; i < state.get<std::uint64_t>("arms"); ++i) {
    const Archive& arm = state.group(std::to_string(i));
    arms_.push_back({arm.get<std::string>("id"), arm.get<std::vector<double>>("sums"),
                     arm.get<std::vector<std::int64_t>>("counts")});
    if (arms_.back().sums.size() != idle_ || arms_.back().counts.size() != idle_)
      throw bad_data("the checkpoint is of other idle times");
    index_.emplace(arms_.back().id, i);
  }
}

std::size_t CalendarOperator::state_bytes() const { return sizeof *this + arms_.size() * (128 + 16 * idle_); }

}  // namespace stream::bandits
