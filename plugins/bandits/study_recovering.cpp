#include "bandits/study_recovering.hpp"

#include <array>
#include <cmath>
#include <map>

#include "bandits/optimal_schedule.hpp"
#include "bandits/recovering_simulation.hpp"
#include "stream/error.hpp"

namespace stream::bandits {

namespace {

constexpr const char *kOffline = "offline", *kTiny = "tiny", *kOnline = "online";
constexpr int kTypes = 4;
/// Traps begin at an idle time of 8, which the small instances of D = 5 do not reach.
constexpr int kTinyTypes = 3;

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

RecoveryCurves seeded_instance(int type, std::size_t arms, std::size_t idle, std::int64_t number,
                               std::uint64_t seed) {
  Random random(
      stable_hash(std::to_string(type) + '/' + std::to_string(arms) + '/' + std::to_string(number), seed));
  return recovery_instance(type, arms, idle, random);
}

/// Plans against the upper bound and the greedy policy.
class OfflinePart final : public StudyPart {
 public:
  explicit OfflinePart(const RecoveringStudy::Options& options) : options_(options) {
    for (const Size size : {Size{10, 1, 16}, Size{30, 5, 32}, Size{100, 25, 32}})
      for (int type = 0; type < kTypes; ++type) cells_.push_back({size, type, {}, {}, {}});
  }
  /// All instances of one type and size.
  bool step() override {
    if (done_ == cells_.size()) return false;
    Cell& cell = cells_[done_++];
    for (std::int64_t i = 0; i < options_.instances; ++i) {
      const RecoveryCurves curves =
          seeded_instance(cell.type, cell.size.arms, cell.size.idle, i, options_.seed);
      const Calendar calendar = plan_calendar(curves, cell.size.slots);
      const ScheduleOutcome run = run_calendar(calendar, curves, options_.periods);
      const std::int64_t greedy_periods = std::max<std::int64_t>(1, options_.periods / 20);
      const ScheduleOutcome greedy = run_greedy(curves, cell.size.slots, greedy_periods);
      const double run_value = run.reward / static_cast<double>(options_.periods);
      const double greedy_value = greedy.reward / static_cast<double>(greedy_periods);
      cell.plan.push_back(calendar.value / calendar.bound);
      cell.greedy.push_back(greedy_value / calendar.bound);
      cell.advantage.push_back(calendar.value / greedy_value);
      clashes_ += run.most_pulls > cell.size.slots;
      // The first pulls of recovered arms pay more than the calendar's rate, once for each arm.
      const double edge = static_cast<double>(cell.size.arms) * curves.greatest();
      deviation_ = std::max(deviation_, std::abs(run_value / calendar.value - 1));
      excess_ = std::max({excess_, run_value - calendar.bound - edge / static_cast<double>(options_.periods),
                          greedy_value - calendar.bound - edge / static_cast<double>(greedy_periods)});
      ++instances_;
    }
    return true;
  }
  double fraction() const override { return static_cast<double>(done_) / static_cast<double>(cells_.size()); }
  std::string progress() const override { return "plans: " + std::to_string(instances_) + " instances"; }

  std::vector<Object> records() const override {
    std::vector<Object> out;
    const std::string all = std::to_string(instances_) + " instances";
    out.push_back(claim("calendars that pull more than K arms in some period, of " + all, "none", nullptr,
                        clashes_, "= 0", clashes_ == 0));
    out.push_back(claim("simulated / planned value of a calendar, largest deviation", "purely periodic",
                        nullptr, deviation_, "<= 0.001", deviation_ <= 0.001));
    out.push_back(claim("plan or greedy above upper bound + N max R / T, most", "never", nullptr, excess_,
                        "<= 0", excess_ <= 1e-9));
    std::map<int, double> at_five;
    for (const Cell& cell : cells_) {
      const double ratio = mean(cell.plan), advantage = mean(cell.advantage);
      const std::string where = cell.size.text() + ", type " + std::to_string(cell.type);
      if (cell.size.slots == 5) at_five[cell.type] = ratio;
      if (cell.size.slots > 1) {
        const double bar = cell.size.slots == 5 ? 0.93 : 0.97;
        out.push_back(claim("plan / upper bound: " + where, "1 - O(1/sqrt K)",
                            "greedy " + quantity(mean(cell.greedy)), ratio, ">= " + quantity(bar),
                            ratio >= bar));
        if (cell.type == 2)
          out.push_back(claim("plan / greedy: " + where, nullptr, mean(cell.greedy), advantage, ">= 1.15",
                              advantage >= 1.15));
      }
      if (cell.size.slots == 25)
        out.push_back(claim("plan / upper bound rises with K, type " + std::to_string(cell.type),
                            "asymptotically optimal", at_five[cell.type], ratio,
                            "> " + quantity(at_five[cell.type]), ratio > at_five[cell.type]));
      const auto x = static_cast<double>(cell.size.slots);
      const std::string type = "type " + std::to_string(cell.type);
      out.push_back(point("plan / upper bound by K", type, x, ratio));
      out.push_back(point("greedy / upper bound by K", type, x, mean(cell.greedy)));
      for (std::size_t i = 0; i < cell.plan.size(); ++i)
        out.push_back(point("plan / upper bound by instance: " + cell.size.text(), type,
                            static_cast<double>(i), cell.plan[i]));
    }
    return out;
  }

 private:
  struct Size {
    std::size_t arms, slots, idle;
    std::string text() const {
      return "N = " + std::to_string(arms) + ", K = " + std::to_string(slots) +
             ", D = " + std::to_string(idle);
    }
  };
  struct Cell {
    Size size;
    int type;
    std::vector<double> plan, greedy, advantage;
  };
  RecoveringStudy::Options options_;
  std::vector<Cell> cells_;
  std::size_t done_ = 0;
  std::int64_t instances_ = 0, clashes_ = 0;
  double deviation_ = 0, excess_ = -1e9;
};

/// Plans against the exact optimum of small instances.
class TinyPart final : public StudyPart {
 public:
  explicit TinyPart(const RecoveringStudy::Options& options) : options_(options) {}
  /// One type.
  bool step() override {
    if (type_ == kTinyTypes) return false;
    for (std::int64_t i = 0; i < options_.tiny; ++i) {
      const RecoveryCurves curves = seeded_instance(type_, 4, 5, i, options_.seed);
      const Calendar calendar = plan_calendar(curves, 1);
      const double optimum = optimal_reward(curves);
      excess_ = std::max(excess_, optimum - calendar.bound);
      ratios_[static_cast<std::size_t>(type_)].push_back(calendar.value / optimum);
    }
    ++type_;
    return true;
  }
  double fraction() const override { return static_cast<double>(type_) / kTinyTypes; }
  std::string progress() const override { return "exact optima: type " + std::to_string(type_); }
  std::vector<Object> records() const override {
    std::vector<Object> out;
    out.push_back(claim("exact optimum above upper bound, most of " +
                            std::to_string(kTinyTypes * options_.tiny) + " instances, N = 4, K = 1, D = 5",
                        "never", nullptr, excess_, "<= 1e-6", excess_ <= 1e-6));
    for (int type = 0; type < kTinyTypes; ++type) {
      const auto& ratios = ratios_[static_cast<std::size_t>(type)];
      const double least = *std::min_element(ratios.begin(), ratios.end());
      const std::string where = ", type " + std::to_string(type);
      out.push_back(claim("plan / exact optimum, least" + where, "1/2 for K = 1", nullptr, least, ">= 0.5",
                          least >= 0.5));
      out.push_back(claim("plan / exact optimum, mean" + where, nullptr, nullptr, mean(ratios), ">= 0.80",
                          mean(ratios) >= 0.8));
      for (std::size_t i = 0; i < ratios.size(); ++i)
        out.push_back(point("plan / exact optimum by instance", "type " + std::to_string(type),
                            static_cast<double>(i), ratios[i]));
    }
    return out;
  }

 private:
  RecoveringStudy::Options options_;
  int type_ = 0;
  double excess_ = -1e9;
  std::array<std::vector<double>, kTinyTypes> ratios_;
};

/// Learners against the planner that knows the curves.
class OnlinePart final : public StudyPart {
 public:
  explicit OnlinePart(const RecoveringStudy::Options& options)
      : options_(options),
        lengths_{options.online_periods / 16, options.online_periods / 4, options.online_periods} {}
  /// One instance.
  bool step() override {
    if (done_ == options_.online_instances) return false;
    constexpr std::size_t kArms = 30, kSlots = 5, kIdle = 16;
    const RecoveryCurves curves = seeded_instance(2, kArms, kIdle, done_, options_.seed);
    const double known = plan_calendar(curves, kSlots).value;
    double best = known;
    std::array<std::array<double, 3>, kLearners.size()> rewards{};
    for (std::size_t l = 0; l < kLearners.size(); ++l) {
      for (std::size_t length = 0; length < lengths_.size(); ++length) {
        LearnerOptions options;
        options.slots = kSlots;
        options.estimates = {
            .greatest = 1, .width = 0.5, .sigma = options_.sigma, .periods = lengths_[length]};
        const LearnerOutcome outcome =
            run_learner(kLearners[l].learner, curves, options,
                        Random(stable_hash("noise " + std::to_string(done_), options_.seed)));
        rewards[l][length] = outcome.reward;
        // The planner rounds: the learner may have come upon a better calendar.
        best = std::max(best, outcome.last_value);
      }
    }
    for (std::size_t l = 0; l < kLearners.size(); ++l)
      for (std::size_t length = 0; length < lengths_.size(); ++length)
        regrets_[l][length].push_back(known * static_cast<double>(lengths_[length]) - rewards[l][length]),
            best_regrets_[l][length].push_back(best * static_cast<double>(lengths_[length]) -
                                               rewards[l][length]);
    ++done_;
    return true;
  }
  double fraction() const override {
    return static_cast<double>(done_) / static_cast<double>(options_.online_instances);
  }
  std::string progress() const override { return "learners: instance " + std::to_string(done_); }
  std::vector<Object> records() const override {
    const auto regret = [&](std::size_t learner, std::size_t length) {
      return mean(regrets_[learner][length]);
    };
    const double growth = regret(0, 2) / regret(0, 0), greedy_growth = regret(1, 2) / regret(1, 0);
    const std::string longest = "T = " + std::to_string(lengths_[2]);
    std::vector<Object> out;
    out.push_back(
        claim("regret of calendars with UCB, growth while T grows 16-fold", "N sqrt T",
              quantity(regret(0, 0)) + ", " + quantity(regret(0, 1)) + ", " + quantity(regret(0, 2)), growth,
              "<= 2.5", growth <= 2.5));
    out.push_back(
        claim("regret of greedy-UCB, growth while T grows 16-fold", "linear",
              quantity(regret(1, 0)) + ", " + quantity(regret(1, 1)) + ", " + quantity(regret(1, 2)),
              greedy_growth, ">= 8", greedy_growth >= 8));
    out.push_back(claim("regret / that of greedy-UCB, " + longest, nullptr, regret(1, 2),
                        regret(0, 2) / regret(1, 2), "<= 0.333", regret(0, 2) <= regret(1, 2) / 3));
    out.push_back(claim("regret / that of flat-UCB, " + longest, nullptr, regret(2, 2),
                        regret(0, 2) / regret(2, 2), "<= 0.05", regret(0, 2) <= regret(2, 2) / 20));
    // What the planner leaves is no regret by the card's measure; by this one it is.
    const auto left = [&](std::size_t length) { return mean(best_regrets_[0][length]); };
    out.push_back(figure(
        "regret of calendars with UCB against the best calendar known, growth while T grows "
        "16-fold",
        "-", quantity(left(0)) + ", " + quantity(left(1)) + ", " + quantity(left(2)), left(2) / left(0)));
    const auto plot = [&](const std::string& title, std::size_t l,
                          const std::array<std::vector<double>, 3>& of) {
      for (std::size_t length = 0; length < lengths_.size(); ++length) {
        const auto [low, high] = std::minmax_element(of[length].begin(), of[length].end());
        out.push_back(point(title, kLearners[l].name, std::log10(static_cast<double>(lengths_[length])),
                            mean(of[length]), *low, *high));
      }
    };
    for (std::size_t l = 0; l < kLearners.size(); ++l) plot("regret by log10 T", l, regrets_[l]);
    for (std::size_t l = 0; l + 1 < kLearners.size(); ++l)
      plot("regret without flat-UCB, by log10 T", l, regrets_[l]);
    plot("regret of calendars with UCB against the best calendar known, by log10 T", 0, best_regrets_[0]);
    return out;
  }

 private:
  struct Named {
    Learner learner;
    const char* name;
  };
  static constexpr std::array kLearners = {Named{Learner::kCalendarUcb, "calendars with UCB"},
                                           Named{Learner::kGreedyUcb, "greedy-UCB"},
                                           Named{Learner::kFlatUcb, "flat-UCB"}};
  RecoveringStudy::Options options_;
  std::array<std::int64_t, 3> lengths_;
  std::int64_t done_ = 0;
  std::array<std::array<std::vector<double>, 3>, kLearners.size()> regrets_, best_regrets_;
};

}  // namespace

Spec RecoveringStudy::spec() {
  return Spec("bandits.study_recovering",
              "A study: periodic calendars for rewards that recover, planned and learnt.")
      .output<Record>(
          "claims",
          "{\"claim\", \"paper\", \"baseline\", \"measured\", \"bar\", \"held\"}, and points of curves "
          "{\"plot\", \"series\", \"x\", \"y\"}")
      .param("parts", std::vector<std::string>{kOffline, kTiny, kOnline}, "what is measured, in this order",
             choices({kOffline, kTiny, kOnline}))
      .param("instances", std::int64_t{20}, "of each type and size, to plan for", range(1, 1e5))
      .param("periods", std::int64_t{100'000}, "over which plans are run", range(100, 1e8))
      .param("tiny", std::int64_t{67}, "instances of each type for the exact optimum", range(1, 1e5))
      .param("online_instances", std::int64_t{5}, "to learn on", range(1, 1e4))
      .param("online_periods", std::int64_t{160'000}, "of the longest run; others have 1/4 and 1/16",
             range(1600, 1e8))
      .param("sigma", 0.3, "of the rewards' noise when learning", range(0, 10))
      .param("quick", false, "a quarter of the instances, two to learn on, a tenth of the periods for plans")
      .contract({.order = Order::kStateful, .cost = Cost::kHeavy})
      .about(
          "Plans: N, K, D = 10, 1, 16; 30, 5, 32; 100, 25, 32 and four types of curves, among them traps for "
          "a "
          "greedy policy. No calendar may pull more than K arms in a period, its simulated value must be the "
          "planned one, and nothing may exceed the upper bound; the plan must reach 0.93 of the bound with 5 "
          "slots and 0.97 with 25. On smooth curves with few slots greedy is as good or better: its ratio "
          "stands "
          "beside every plan's, and only for curves of any shape (type 2) must the plan be 1.15 times as "
          "good.\n\n"
          "Tiny: the exact optimum by value iteration over all vectors of idle times never exceeds the "
          "bound.\n\n"
          "Learning: regret of the learner, of greedy-UCB and of a UCB that ignores recovery, for three "
          "lengths, "
          "against the planner that knows the curves. That planner rounds: on some instances the learner "
          "comes upon "
          "a better calendar than it, and its regret is negative there, and in the mean over few instances. "
          "A figure without a bar, and a plot, show regret against the best calendar that any of them found.")
      .paper(
          "Simchi-Levi, Zheng, Zhu, Dynamic Planning and Learning under Recovering Rewards, ICML 2021, arXiv "
          "2106.14813")
      .example("Plans alone, shortened", R"(title = "Plans"
[nodes.study]
use       = "bandits.study_recovering"
parts     = ["offline"]
instances = 2
periods   = 1000

[nodes.claims]
use  = "jsonl.write"
from = "study"
)");
}

RecoveringStudy::RecoveringStudy(const Params& p) : StudySource(p.get<std::vector<std::string>>("parts")) {
  options_ = {.instances = p.get<std::int64_t>("instances"),
              .periods = p.get<std::int64_t>("periods"),
              .tiny = p.get<std::int64_t>("tiny"),
              .online_instances = p.get<std::int64_t>("online_instances"),
              .online_periods = p.get<std::int64_t>("online_periods"),
              .sigma = p.get<double>("sigma"),
              .seed = p.context().seed};
  if (p.get<bool>("quick")) {
    options_.instances = std::max<std::int64_t>(1, options_.instances / 4);
    options_.periods = std::max<std::int64_t>(100, options_.periods / 10);
    options_.tiny = std::max<std::int64_t>(1, options_.tiny / 4);
    options_.online_instances = std::min<std::int64_t>(2, options_.online_instances);
  }
}

std::unique_ptr<StudyPart> RecoveringStudy::part(const std::string& which) const {
  if (which == kOffline) return std::make_unique<OfflinePart>(options_);
  if (which == kTiny) return std::make_unique<TinyPart>(options_);
  return std::make_unique<OnlinePart>(options_);
}

}  // namespace stream::bandits
