/// Uniform exploration: every arm is pulled equally often, the best so far is kept.
#pragma once

#include "bandits/policy.hpp"

namespace stream::bandits {

/// The baseline, with b_u = (T/K)^(2/3) (ln T)^(1/3) pulls for each arm, and the naive search for an eps-best
/// arm, with ln(K) / eps^2.
class UniformExploration final : public Policy {
 public:
  UniformExploration(ArmMemory& arms, std::uint64_t pulls) : Policy(arms), pulls_(pulls) {}
  Request arrive() override { return Request::pull(kArriving, pulls_); }
  Request answer(double mean) override {
    if (arms_.holds(0) && mean <= mean_) {
      arms_.drop(kArriving);
      return Request::done();
    }
    if (arms_.holds(0)) arms_.drop(0);
    arms_.move(kArriving, 0);
    mean_ = mean;
    return Request::done();
  }
  Place best() const override { return arms_.holds(0) ? 0 : kNowhere; }
  void save(Archive& state) const override { state.set("mean", mean_); }
  void load(const Archive& state) override { mean_ = state.get<double>("mean"); }

 private:
  std::uint64_t pulls_;
  double mean_ = 0;  ///< of the arm held
};

}  // namespace stream::bandits
