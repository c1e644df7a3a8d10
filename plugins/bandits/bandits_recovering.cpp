#include "bandits/bandits_recovering.hpp"

#include "stream/error.hpp"

namespace stream::bandits {

Spec RecoveringOperator::spec() {
  return Spec("bandits.recovering",
              "Learn which arms to pull each period, when an arm's reward recovers while it rests.")
      .input<Record>(
          "in",
          "first {\"arms\": [ids]}, in a simulated world with \"curves\": [[reward by idle time from "
          "1]]; then of each period {\"t\": its number}, and {\"arm\": id, "
          "\"reward\": r} for those of its pulls whose rewards are known")
      .output<Record>(
          "out",
          "{\"t\", \"pull\": [ids], \"value\": of the calendar, \"bound\": of any schedule}, for each "
          "period, both under optimistic curves; in a simulated world \"regret\": against the plan for "
          "the true curves, so far")
      .output<Record>("curves",
                      "at the start of each phase, of each arm {\"t\", \"arm\", \"mean\", \"optimistic\", "
                      "\"samples\"}, lists over idle times from 1")
      .param("slots", std::int64_t{1}, "arms that may be pulled in one period", range(1, 1e5))
      .param("idle", std::int64_t{16}, "periods after which an arm has recovered", range(1, 4096),
             unit("periods"))
      .param("periods", std::int64_t{100000}, "how long it will run: sets the width of bounds",
             range(2, 1e15))
      .param("phase", std::int64_t{128}, "periods from one plan to the next", range(1, 1e9), unit("periods"))
      .param("low", 0.0, "least reward")
      .param("high", 1.0, "greatest reward")
      .param("sigma", 0.5, "of a reward's noise, in the rewards' units; half of the range is enough",
             range(0, 1e9))
      .param("width", 0.5, "of the bounds on a mean, c in c sigma sqrt(2 ln T / n)", range(0, 100))
      .param("world", "input",
             "where rewards come from: records of the input, or a simulation that pays `low` or "
             "`high` with the means of the declared curves",
             choices({"input", "simulated"}))
      .param("capacity", std::int64_t{1000}, "most arms that may be declared", range(1, 1e6))
      .contract({.order = Order::kStateful, .keyed = true})
      .about(
          "By phases, plans a periodic calendar on optimistic curves (bandits.calendar), pulls by it and "
          "learns: "
          "of each arm and idle time a mean and an upper bound, nondecreasing in idle time. An arm that is "
          "pulled "
          "after d periods gives a sample of its reward at d, also where the calendar changed in between. "
          "Periods "
          "may be left out, not go back; rewards may be missing, but belong to a pull of the newest period. "
          "Memory is `capacity` x `idle` numbers at the most.")
      .paper(
          "Simchi-Levi, Zheng, Zhu, Dynamic Planning and Learning under Recovering Rewards, ICML 2021, arXiv "
          "2106.14813")
      .example("Recovering arms that a built-in world pays", R"(title = "Learn a calendar"
[nodes.world]
use     = "bandits.recovering_arms"
arms    = 6
idle    = 8
periods = 200

[nodes.learner]
use   = "bandits.recovering"
from  = "world"
world = "simulated"
slots = 2
idle  = 8

[nodes.out]
use  = "jsonl.write"
from = "learner"
)");
}

namespace {

/// One list for each arm; a list that is shorter than `idle` goes on as it ended.
RecoveryCurves curves_of(const Array& lists, std::size_t arms, std::size_t idle, const RewardRange& range) {
  if (lists.size() != arms)
    throw bad_data("member 'curves' has " + std::to_string(lists.size()) + " lists for " +
                   std::to_string(arms) + " arms");
  RecoveryCurves curves(arms, idle);
  for (std::size_t arm = 0; arm < arms; ++arm) {
    const Array& list = lists[arm].as_array();
    double last = 0;
    for (std::size_t d = 1; d <= idle; ++d) {
      if (d <= list.size()) {
        const double reward = range.scaled_mean(number_of(list[d - 1], "curves"), 1);
        if (reward < last) throw bad_data("a curve in member 'curves' falls with idle time");
        last = reward;
      }
      curves.set(arm, d, last);
    }
  }
  return curves;
}

}  // namespace

RecoveringOperator::RecoveringOperator(const Params& p)
    : range_(p),
      capacity_(p.get<std::size_t>("capacity")),
      simulated_(p.get<std::string>("world") == "simulated"),
      random_(p.random("world")) {
  options_.idle = p.get<std::size_t>("idle");
  options_.slots = p.get<std::size_t>("slots");
  options_.phase = p.get<std::int64_t>("phase");
  options_.estimates = {.greatest = 1,
                        .width = p.get<double>("width"),
                        .sigma = p.get<double>("sigma") / (range_.high() - range_.low()),
                        .periods = p.get<std::int64_t>("periods")};
}

void RecoveringOperator::process(Packet in, Output& out) {
  const auto& event = in.as<Record>();
  if (event.find("arms")) return declare(event);
  if (event.find("arm")) return reward(event);
  tick(in, event, out);
}

void RecoveringOperator::declare(const Record& event) {
  if (learner_) throw bad_data("the arms are declared a second time");
  const Array& list = event.at("arms").as_array();
  if (list.empty() || list.size() > capacity_)
    throw bad_data(std::to_string(list.size()) + " arms are declared, expected 1 to " +
                   std::to_string(capacity_));
  std::vector<std::string> ids;
  std::unordered_map<std::string, std::size_t> index;
  for (const Value& value : list) {
    ids.push_back(arm_id(value));
    if (!index.emplace(ids.back(), ids.size() - 1).second)
      throw bad_data("arm " + ids.back() + " is declared twice");
  }
  if (simulated_) true_curves_ = curves_of(event.at("curves").as_array(), ids.size(), options_.idle, range_);
  ids_ = std::move(ids);
  index_ = std::move(index);
  options_.arms = ids_.size();
  learner_.emplace(options_);
  awaited_.assign(ids_.size(), false);
  true_idle_ = IdleTimes(ids_.size(), options_.idle);
  if (simulated_) known_value_ = plan_calendar(*true_curves_, options_.slots).value;
}

void RecoveringOperator::tick(const Packet& in, const Record& event, Output& out) {
  const Value& t = event.at("t");
  if (!t.is_integer() || t.as_integer() < 0 || t.as_integer() > (std::int64_t{1} << 53))
    throw bad_data("member 't' is a period's number from 0, found " + t.dump());
  if (!learner_) throw bad_data("period " + t.dump() + " begins before {\"arms\": [ids]} has come");
  if (t.as_integer() <= period_)
    throw bad_data("period " + t.dump() + " begins after period " + std::to_string(period_));
  period_ = t.as_integer();
  const auto chosen = learner_->pulls(period_);
  awaited_.assign(ids_.size(), false);
  std::string json = "{\"t\": " + std::to_string(period_) + ", \"pull\": [";
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    awaited_[chosen[i]] = true;
    if (i > 0) json += ", ";
    json += ids_[chosen[i]];
  }
  pulled_ = static_cast<std::int64_t>(chosen.size());
  const auto in_units = [&](double per_period) {
    return Value(per_period * (range_.high() - range_.low())).dump();
  };
  json += "], \"value\": " + in_units(learner_->value()) + ", \"bound\": " + in_units(learner_->bound());
  if (simulated_) {
    pay(chosen);
    json += ", \"regret\": " + in_units(regret_);
  }
  json += "}";
  out.emit(in.with<Record>(Buffer::own(std::move(json))));
  if (learner_->phase_start() == period_ && !out.unused(1)) say_curves(in, out);
}

void RecoveringOperator::pay(const std::vector<std::size_t>& chosen) {
  regret_ += known_value_;
  for (const std::size_t arm : chosen) {
    const double mean = true_curves_->at(arm, true_idle_.at(arm, period_));
    true_idle_.pulled(arm, period_);
    awaited_[arm] = false;
    regret_ -= mean;
    learner_->observe(arm, random_.uniform() < mean ? 1 : 0);
  }
}

void RecoveringOperator::reward(const Record& event) {
  if (simulated_) throw bad_data("rewards come on the input, but the world is simulated");
  const std::string id = arm_id(event.at("arm"));
  const auto arm = index_.find(id);
  if (arm == index_.end()) throw bad_data("arm " + id + " was not declared");
  if (const Value* t = event.find("t"); t && *t != Value(period_))
    throw bad_data("a reward of period " + t->dump() + " comes in period " + std::to_string(period_));
  const double reward = range_.scaled_mean(number_of(event.at("reward"), "reward"), 1);
  if (!awaited_[arm->second])
    throw bad_data("arm " + id + " was not pulled in period " + std::to_string(period_) +
                   ", or was paid already");
  awaited_[arm->second] = false;
  learner_->observe(arm->second, reward);
}

void RecoveringOperator::say_curves(const Packet& in, Output& out) const {
  const CurveEstimates& estimates = learner_->estimates();
  for (std::size_t arm = 0; arm < ids_.size(); ++arm) {
    std::string mean, optimistic, samples;
    for (std::size_t d = 1; d <= options_.idle; ++d) {
      const char* const comma = d > 1 ? ", " : "";
      const std::int64_t n = estimates.samples(arm, d);
      samples += comma + std::to_string(n);
      mean += comma + (n > 0 ? Value(range_.unscaled(estimates.mean(arm, d))).dump() : std::string("null"));
      optimistic += comma + Value(range_.unscaled(estimates.optimistic().at(arm, d))).dump();
    }
    out.emit(1, in.with<Record>(Buffer::own("{\"t\": " + std::to_string(period_) + ", \"arm\": " + ids_[arm] +
                                            ", \"mean\": [" + mean + "], \"optimistic\": [" + optimistic +
                                            "], \"samples\": [" + samples + "]}")));
  }
}

void RecoveringOperator::save(Archive& state) const {
  state.set("arms", static_cast<std::uint64_t>(ids_.size()));
  for (std::size_t i = 0; i < ids_.size(); ++i) state.set("arm_" + std::to_string(i), ids_[i]);
  state.set("period", period_);
  state.set("pulled", pulled_);
  if (!learner_) return;
  std::vector<std::int64_t> awaited(awaited_.begin(), awaited_.end());
  state.set("awaited", awaited);
  learner_->save(state.group("learner"));
  if (!simulated_) return;
  state.set("rng", random_.state());
  state.set("regret", regret_);
  state.set("true_last", true_idle_.last());
  std::vector<double> rewards;
  for (std::size_t arm = 0; arm < ids_.size(); ++arm)
    for (std::size_t d = 1; d <= options_.idle; ++d) rewards.push_back(true_curves_->at(arm, d));
  state.set("true_curves", rewards);
}

void RecoveringOperator::load(const Archive& state) {
  const auto count = state.get<std::uint64_t>("arms");
  period_ = state.get<std::int64_t>("period");
  pulled_ = state.get<std::int64_t>("pulled");
  if (count == 0) return;
  if (count > capacity_) throw bad_data("the checkpoint holds more arms than `capacity`");
  for (std::uint64_t i = 0; i < count; ++i) {
    ids_.push_back(state.get<std::string>("arm_" + std::to_string(i)));
    index_.emplace(ids_.back(), i);
  }
  options_.arms = ids_.size();
  learner_.emplace(options_);
  learner_->load(state.group("learner"));
  const auto awaited = state.get<std::vector<std::int64_t>>("awaited");
  awaited_.assign(awaited.begin(), awaited.end());
  if (!simulated_) return;
  random_.restore(state.get<std::vector<std::int64_t>>("rng"));
  regret_ = state.get<double>("regret");
  true_idle_ = IdleTimes(ids_.size(), options_.idle);
  true_idle_.restore(state.get<std::vector<std::int64_t>>("true_last"));
  const auto rewards = state.get<std::vector<double>>("true_curves");
  if (rewards.size() != ids_.size() * options_.idle) throw bad_data("the checkpoint is of other idle times");
  true_curves_.emplace(ids_.size(), options_.idle);
  for (std::size_t i = 0; i < rewards.size(); ++i)
    true_curves_->set(i / options_.idle, 1 + i % options_.idle, rewards[i]);
  known_value_ = plan_calendar(*true_curves_, options_.slots).value;
}

std::size_t RecoveringOperator::state_bytes() const {
  std::size_t bytes = sizeof *this + (learner_ ? learner_->bytes() : 0);
  for (const std::string& id : ids_) bytes += 2 * (sizeof(std::string) + id.capacity());
  return bytes;
}

std::string RecoveringOperator::progress() const {
  return "period " + std::to_string(period_) + ", " + std::to_string(pulled_) + " of " +
         std::to_string(ids_.size()) + " arms pulled";
}

}  // namespace stream::bandits
