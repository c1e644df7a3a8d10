/// bandits.world: the other side of bandits.single_pass.
#pragma once

#include <map>

#include "bandits/binomial.hpp"
#include "bandits/rewards.hpp"
#include "stream/error.hpp"
#include "stream/operator.hpp"

namespace stream::bandits {

class WorldOperator final : public Operator {
 public:
  static Spec spec() {
    return Spec("bandits.world", "Answer pulls of arms with known means; refuse those of arms that are gone.")
        .input<Record>("in",
                       "{\"arm\": id, \"mean\": m in [0, 1]}, {\"pull\": id, \"n\": pulls}, and decisions "
                       "{\"arm\": id, \"action\", \"dropped\": [ids]}; anything else is passed over")
        .output<Record>("out", "{\"arm\": id, \"n\": pulls, \"sum\": of rewards that are 0 or 1}")
        .param("held", std::int64_t{64}, "arms that may be there at once", range(1, 1e6))
        .contract({.order = Order::kStateful, .keyed = true})
        .about(
            "A stand-in for a shop in which to try bandits.single_pass, also as a process of its own (its "
            "parameter `command`). An announced arm can be pulled until a decision drops it; a later pull is "
            "an "
            "error, and so is an arm beyond `held`.")
        .example("Two pulls of an announced arm", R"([nodes.arms]
use   = "bandits.arms"
count = 10

[nodes.world]
use  = "bandits.world"
from = "arms"

[nodes.out]
use  = "jsonl.write"
from = "world"
)");
  }
  explicit WorldOperator(const Params& p) : most_(p.get<std::size_t>("held")), random_(p.random()) {}

  void process(Packet in, Output& out) override { take(in, in.as<Record>(), out); }
  void save(Archive& state) const override {
    std::int64_t number = 0;
    for (const auto& [id, mean] : arms_) {
      Archive& arm = state.group(std::to_string(number++));
      arm.set("id", id);
      arm.set("mean", mean);
    }
    state.set("arms", number);
    state.set("rng", random_.state());
  }
  void load(const Archive& state) override {
    for (std::int64_t i = 0; i < state.get<std::int64_t>("arms"); ++i) {
      const Archive& arm = state.group(std::to_string(i));
      arms_.emplace(arm.get<std::string>("id"), arm.get<double>("mean"));
    }
    random_.restore(state.get<std::vector<std::int64_t>>("rng"));
  }
  std::size_t state_bytes() const override { return sizeof *this + arms_.size() * 64; }

 private:
  void take(const Packet& in, const Record& event, Output& out) {
    if (const Value* mean = event.find("mean"); mean && event.find("arm")) {
      const double value = RewardRange(0, 1).scaled_mean(number_of(*mean, "mean"), 1);
      std::string id = arm_id(event.at("arm"));
      if (arms_.size() >= most_ && !arms_.contains(id))
        throw bad_data("arm " + id + " is one more than the " + std::to_string(most_) +
                       " that may be there; decisions on arms are to come in between");
      arms_.insert_or_assign(std::move(id), value);
    } else if (const Value* dropped = event.find("dropped")) {
      std::vector<std::string> gone;
      for (const Value& id : dropped->as_array()) gone.push_back(arm_id(id));
      for (const std::string& id : gone) arms_.erase(id);
    } else if (const Value* pulled = event.find("pull")) {
      const std::string id = arm_id(*pulled);
      const auto arm = arms_.find(id);
      if (arm == arms_.end())
        throw bad_data("arm " + id + " is pulled, which was dropped or never announced");
      const std::int64_t n = event.at("n").as_integer();
      if (n < 1) throw bad_data("member 'n' is a whole number from 1, found " + std::to_string(n));
      const double mean = bernoulli_mean(random_, static_cast<std::uint64_t>(n), arm->second);
      out.emit(
          in.with<Record>(Buffer::own("{\"arm\": " + id + ", \"n\": " + std::to_string(n) +
                                      ", \"sum\": " + Value(mean * static_cast<double>(n)).dump() + "}")));
    }
  }

  std::size_t most_;
  Random random_;
  std::map<std::string, double> arms_;
};

}  // namespace stream::bandits
