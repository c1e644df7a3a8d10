#include "bandits/bandits_replay.hpp"

#include <numeric>

#include "stream/error.hpp"

namespace stream::bandits {

Spec ReplayOperator::spec() {
  return Spec("bandits.replay", "Try a single-pass algorithm on a log of rewards, without a live world.")
      .input<Record>("in", "{\"arm\": id, \"reward\": r}, in the order of the log")
      .output<Record>(
          "out",
          "of each arm {\"arm\", \"action\", \"held\", \"pulls\"}, and {\"commit\": id, \"n\", "
          "\"arms\", \"held_at_most\", \"explored\", \"mean\": of its pulls, \"logged_mean\": of all "
          "its rewards}")
      .param("trials", std::int64_t{0}, "pulls in all; 0: as many as the log has rewards", range(0, 9e18))
      .param("algorithm", "champion", "how arms are compared", Choices{algorithm_names()})
      .param("constants", "code", "of the log-star-tower: of the published code, or of the proof",
             choices({"code", "theory"}))
      .param("low", 0.0, "least reward that a pull can bring")
      .param("high", 1.0, "greatest reward that a pull can bring")
      .contract({.lookahead = kUnbounded, .state = Growth::kLinear, .grows_with = "rewards", .keyed = true})
      .about(
          "The log is read to its end and kept: it is the world. Arms then arrive in the order in which the "
          "log "
          "names them first, and a pull takes the next of its arm's rewards. When an arm is pulled more "
          "often "
          "than the log has rewards of it, the replay is refused: it would have to make rewards up. What is "
          "left for the arm committed to is not drawn.")
      .paper(
          "Chen Wang, Tight Regret Bounds for Single-pass Streaming Multi-armed Bandits, ICML 2023, arXiv "
          "2306.02208")
      .example("A log of one arm", R"([nodes.arms]
use   = "bandits.arms"
count = 1

[nodes.rewards]
use   = "bandits.world"
from  = "arms"

[nodes.replay]
use  = "bandits.replay"
from = "rewards"

[nodes.out]
use  = "jsonl.write"
from = "replay"
)");
}

ReplayOperator::ReplayOperator(const Params& p)
    : range_(p), options_(policy_options(p)), trials_(p.get<std::uint64_t>("trials")) {}

void ReplayOperator::process(Packet in, Output&) {
  const auto& record = in.as<Record>();
  std::string id = arm_id(record.at("arm"));
  const double reward = range_.scaled_mean(number_of(record.at("reward"), "reward"), 1);
  const auto [found, fresh] = index_.try_emplace(id, logs_.size());
  if (fresh) logs_.push_back({std::move(id), {}});
  logs_[found->second].rewards.push_back(reward);
  ++rewards_;
  time_ = in.time;
}

double ReplayOperator::take(Log& log, std::uint64_t n) {
  if (n > log.rewards.size() - log.used)
    throw bad_data("the log is exhausted: " + std::to_string(n) + " more pulls of arm " + log.id +
                   " are asked for, " + std::to_string(log.rewards.size() - log.used) + " of its " +
                   std::to_string(log.rewards.size()) + " rewards are left; fewer trials ask for fewer");
  const auto first = log.rewards.begin() + static_cast<std::ptrdiff_t>(log.used);
  const double sum = std::accumulate(first, first + static_cast<std::ptrdiff_t>(n), 0.0);
  log.used += n;
  return sum / static_cast<double>(n);
}

void ReplayOperator::finish(Output& out) {
  if (logs_.empty()) return;
  if (time_ < kTimeMax) ++time_;  // that nothing follows is known after the last event only
  using Kind = SinglePass::Step::Kind;
  const Problem problem{logs_.size(), trials_ > 0 ? trials_ : rewards_};
  if (problem.trials < problem.arms) throw bad_data("there are fewer trials than arms in the log");
  SinglePass pass(problem, options_);
  const auto log_of = [&](const std::string& id) -> Log& { return logs_[index_.at(id)]; };
  const auto settle = [&](SinglePass::Step step) {
    while (step.kind == Kind::kPull) {
      const std::string& id = pass.arms().at(step.place).id;
      step = pass.answer(id, step.pulls, take(log_of(id), step.pulls));
    }
    pass.take_dropped();
    return step;
  };
  for (const Log& log : logs_) {
    settle(pass.arrive({log.id}));
    const Place place = pass.arms().find(log.id);
    out.emit(Packet::of<Record>(time_, Object{{"arm", id_value(log.id)},
                                              {"action", place == kNowhere ? "drop"
                                                         : place > 0       ? "promote"
                                                                           : "keep"},
                                              {"held", static_cast<std::int64_t>(pass.arms().held())},
                                              {"pulls", Value(pass.pulls())}}));
  }
  const SinglePass::Step last = settle(pass.end());
  const Log& chosen = log_of(pass.arms().at(last.place).id);
  const auto mean = [&](std::size_t n) {
    const auto first = chosen.rewards.begin();
    return n == 0
               ? Value()
               : Value(range_.unscaled(std::accumulate(first, first + static_cast<std::ptrdiff_t>(n), 0.0) /
                                       static_cast<double>(n)));
  };
  out.emit(Packet::of<Record>(time_, Object{{"commit", id_value(chosen.id)},
                                            {"n", Value(last.pulls)},
                                            {"arms", static_cast<std::int64_t>(logs_.size())},
                                            {"held_at_most", static_cast<std::int64_t>(pass.arms().peak())},
                                            {"explored", Value(pass.explored())},
                                            {"mean", mean(chosen.used)},
                                            {"logged_mean", mean(chosen.rewards.size())}}));
}

void ReplayOperator::save(Archive& state) const {
  state.set("arms", static_cast<std::uint64_t>(logs_.size()));
  state.set("time", time_);
  for (std::size_t i = 0; i < logs_.size(); ++i) {
    Archive& log = state.group(std::to_string(i));
    log.set("id", logs_[i].id);
    log.set("rewards", logs_[i].rewards);
  }
}

void ReplayOperator::load(const Archive& state) {
  time_ = state.get<Duration>("time");
  for (std::uint64_t i = 0; i < state.get<std::uint64_t>("arms"); ++i) {
    const Archive& log = state.group(std::to_string(i));
    logs_.push_back({log.get<std::string>("id"), log.get<std::vector<double>>("rewards")});
    index_.emplace(logs_.back().id, logs_.size() - 1);
    rewards_ += logs_.back().rewards.size();
  }
}

std::size_t ReplayOperator::state_bytes() const {
  return sizeof *this + logs_.size() * 128 + rewards_ * sizeof(double);
}

std::string ReplayOperator::progress() const {
  return std::to_string(logs_.size()) + " arms, " + std::to_string(rewards_) + " rewards";
}

}  // namespace stream::bandits
