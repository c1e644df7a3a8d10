#include "bandits/simulation.hpp"

#include <algorithm>
#include <stdexcept>

#include "bandits/binomial.hpp"

namespace stream::bandits {

double SimulatedWorld::pull(std::size_t arm, std::uint64_t n) {
  account(arm, n);
  return bernoulli_mean(random_, n, means_[arm]);
}

void SimulatedWorld::commit(std::size_t arm, std::uint64_t n) { account(arm, n); }

void SimulatedWorld::account(std::size_t arm, std::uint64_t n) {
  if (!available_.at(arm))
    throw std::logic_error("arm " + std::to_string(arm) +
                           " is pulled, which has been dropped or has not come");
  if (best_ < 0) best_ = *std::max_element(means_.begin(), means_.end());
  regret_ += static_cast<double>(n) * (best_ - means_[arm]);
  pulls_ += n;
}

SinglePassOutcome simulate(const Problem& problem, const PolicyOptions& options,
                           std::span<const double> means, Random random) {
  using Kind = SinglePass::Step::Kind;
  SimulatedWorld world(means, random);
  SinglePass pass(problem, options);
  const auto arm_at = [&](Place place) { return std::stoul(pass.arms().at(place).id); };
  const auto settle = [&](SinglePass::Step step) {
    while (step.kind == Kind::kPull) {
      const std::string& id = pass.arms().at(step.place).id;
      step = pass.answer(id, step.pulls, world.pull(std::stoul(id), step.pulls));
    }
    for (const std::string& id : pass.take_dropped()) world.gone(std::stoul(id));
    return step;
  };
  for (std::size_t i = 0; i < means.size(); ++i) {
    world.announce(i);
    settle(pass.arrive({std::to_string(i), means[i]}));
  }
  const SinglePass::Step last = settle(pass.end());
  const std::size_t chosen = arm_at(last.place);
  world.commit(chosen, last.pulls);
  return {.regret = world.regret(),
          .pulls = world.pulls(),
          .explored = pass.explored(),
          .peak = pass.arms().peak(),
          .shortfall = *std::max_element(means.begin(), means.end()) - means[chosen]};
}

}  // namespace stream::bandits
