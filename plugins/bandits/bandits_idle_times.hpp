/// bandits.idle_times: what an interaction log says about recovery.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "bandits/rewards.hpp"
#include "stream/error.hpp"
#include "stream/operator.hpp"

namespace stream::bandits {

class IdleTimesOperator final : public Operator {
 public:
  static Spec spec() {
    return Spec("bandits.idle_times", "Derive from a log of pulls how long each arm had rested.")
        .input<Record>("in",
                       "{\"time\": seconds or period number, \"arm\": id, \"reward\": r}, by rising time")
        .output<Record>("out", "{\"arm\": id, \"idle\": periods since its last pull, \"reward\": r}")
        .param("time", "time", "name of the member that holds the time")
        .param("period", 1.0, "length of a period, in the units of that member", range(1e-9, 1e12))
        .param("first", "drop",
               "what becomes of an arm's first pull, whose idle time nobody knows: left out, or taken for "
               "recovered",
               choices({"drop", "recovered"}))
        .param("idle", std::int64_t{32}, "periods after which an arm has recovered", range(1, 4096),
               unit("periods"))
        .param("low", 0.0, "least reward")
        .param("high", 1.0, "greatest reward")
        .contract({.state = Growth::kLinear, .grows_with = "arms", .keyed = true})
        .about(
            "A pull belongs to period floor(time / period); idle times beyond `idle` are given as that. A "
            "second pull "
            "of an arm in one period, times that go back, and rewards out of bounds are errors.")
        .example("A log as JSON Lines", R"([nodes.curves]
use  = "bandits.curves"
arms = 1

[nodes.idle]
use   = "bandits.idle_times"
from  = "curves"
time  = "idle"
first = "recovered"

[nodes.out]
use  = "jsonl.write"
from = "idle"
)");
  }
  explicit IdleTimesOperator(const Params& p)
      : range_(p),
        time_(p.get<std::string>("time")),
        period_(p.get<double>("period")),
        recovered_(p.get<std::string>("first") == "recovered"),
        idle_(p.get<std::int64_t>("idle")) {}

  void process(Packet in, Output& out) override {
    const auto& record = in.as<Record>();
    const std::string id = arm_id(record.at("arm"));
    const double reward = number_of(record.at("reward"), "reward");
    range_.scaled_mean(reward, 1);
    const double period = std::floor(number_of(record.at(time_), time_.c_str()) / period_);
    if (!(std::abs(period) < 9e15))
      throw bad_data("member '" + time_ + "' is no time of a period that can be counted");
    const auto now = static_cast<std::int64_t>(period);
    if (now < newest_)
      throw bad_data("member '" + time_ + "' goes back in time, from period " + std::to_string(newest_) +
                     " to " + std::to_string(now));
    const auto last = last_.find(id);
    if (last != last_.end() && last->second == now)
      throw bad_data("arm " + id + " is pulled twice in period " + std::to_string(now));
    newest_ = now;
    std::int64_t idle = idle_;
    const bool first = last == last_.end();
    if (!first) idle = std::min(idle, now - last->second);
    last_.insert_or_assign(id, now);
    if (first && !recovered_) return;
    out.emit(in.with<Record>(Object{{"arm", id_value(id)}, {"idle", idle}, {"reward", reward}}));
  }
  void save(Archive& state) const override {
    state.set("newest", newest_);
    state.set("arms", static_cast<std::uint64_t>(last_.size()));
    // In an order that does not depend on how the table grew.
    std::vector<std::pair<std::string, std::int64_t>> sorted(last_.begin(), last_.end());
    std::sort(sorted.begin(), sorted.end());
    std::vector<std::int64_t> last;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      state.set("arm_" + std::to_string(i), sorted[i].first);
      last.push_back(sorted[i].second);
    }
    state.set("last", last);
  }
  void load(const Archive& state) override {
    newest_ = state.get<std::int64_t>("newest");
    const auto last = state.get<std::vector<std::int64_t>>("last");
    for (std::size_t i = 0; i < last.size(); ++i)
      last_.emplace(state.get<std::string>("arm_" + std::to_string(i)), last[i]);
  }
  std::size_t state_bytes() const override { return sizeof *this + last_.size() * 96; }

 private:
  RewardRange range_;
  std::string time_;
  double period_;
  bool recovered_;
  std::int64_t idle_;
  std::unordered_map<std::string, std::int64_t> last_;  ///< period of the last pull
  std::int64_t newest_ = std::numeric_limits<std::int64_t>::min();
};

}  // namespace stream::bandits
