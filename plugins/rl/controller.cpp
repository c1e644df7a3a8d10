#include "rl/controller.hpp"

#include <algorithm>
#include <cmath>

#include "rl/policy.hpp"
#include "stream/error.hpp"

namespace stream::rl {

namespace {
std::size_t best(std::span<const double> values) {
  return static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

const Actions& possible(Algorithm algorithm, const Actions& actions) {
  if (actions.choices == 0 && algorithm != Algorithm::kAc)
    throw bad_recipe("q and sarsa choose between discrete actions; these are numbers: use learner = \"ac\"");
  if (actions.choices == 1) throw bad_recipe("there is one action only: nothing to choose");
  return actions;
}

Error diverged(const std::string& what) {
  return failed("the learner has diverged: " + what + " is not finite any more (a smaller rate may help)");
}

/// 7, not 7.0, where it is one: that is what was written.
std::string shown(double a) {
  return std::abs(a) < 1e15 && a == std::floor(a) ? std::to_string(static_cast<std::int64_t>(a))
                                                  : Value(a).dump();
}

/// -1, 0 or 1
double sign(double x) { return (x > 0 ? 1.0 : 0.0) - (x < 0 ? 1.0 : 0.0); }
}  // namespace

Controller::Controller(Algorithm algorithm, const Settings& settings, std::size_t observation,
                       const Actions& actions, Random random)
    : algorithm_(algorithm),
      settings_(settings),
      actions_(possible(algorithm, actions)),
      random_(random),
      input_(observation, settings.normalize, settings.filters > 0 ? 0 : settings.time_limit),
      scaler_(settings.gamma),
      value_(settings.shape(input_.inputs(), algorithm == Algorithm::kAc ? 1 : actions.choices),
             settings.value_optimizer(), settings.sparsity, random_),
      action_(actions.size()),
      weight_(algorithm == Algorithm::kAc && actions.choices == 0 ? 2 * actions.dimensions
                                                                  : actions.choices) {
  if (algorithm == Algorithm::kAc)
    policy_.emplace(settings.shape(input_.inputs(), weight_.size()), settings.policy_optimizer(),
                    settings.sparsity, random_);
}

double Controller::epsilon() const {
  const double first = settings_.epsilon_first, last = settings_.epsilon_last;
  if (settings_.epsilon_steps <= 0) return last;
  return std::max(first + (last - first) / settings_.epsilon_steps * static_cast<double>(chosen_), last);
}

Controller::Choice Controller::choose(std::span<const double> values, Random& random) const {
  const std::size_t top = best(values);
  if (random.uniform() >= epsilon()) return {top, true};
  const std::size_t drawn = random.below(values.size());
  return {drawn, drawn == top};
}

/// Chooses for the input that the networks have just been given.
void Controller::act() {
  if (policy_) {
    for (const double output : policy_->outputs())
      if (!std::isfinite(output)) throw diverged("its policy");
  }
  if (!policy_) {
    const Choice choice = choose(value_.outputs(), random_);
    action_[0] = static_cast<double>(choice.action), greedy_ = choice.greedy;
    ++chosen_;
  } else if (actions_.choices > 0) {
    action_[0] = static_cast<double>(SoftmaxPolicy::sample(policy_->outputs(), random_));
  } else {
    NormalPolicy::sample(policy_->outputs(), random_, action_.data());
  }
}

void Controller::begin(std::span<const double> x) {
  input_.check(x);
  if (acting_) break_off();
  const auto seen = input_.preview(x, true);
  value_.forward(seen);
  if (policy_) policy_->forward(seen);
  input_.commit(x);
  act();
  acting_ = true;
}

void Controller::break_off() {
  value_.clear_traces();
  if (policy_) policy_->clear_traces();
  acting_ = false;
}

Controller::Update Controller::step(double reward, std::span<const double> x, bool done) {
  input_.check(x);
  if (!acceptable(reward))
    throw bad_data("the reward is " + std::to_string(reward) +
                   ", expected a number between -1e100 and 1e100");
  // Everything that may refuse the event comes first.
  RewardScaler scaler = scaler_;
  const double scaled = scaler.scale(reward, done), gain = settings_.scale_rewards ? scaled : reward;
  const auto next = input_.preview(x, false);
  double bootstrap = 0;
  Choice choice{0, true};
  Random random = random_;
  if (!done) {
    const auto values = value_.peek(next);
    if (algorithm_ == Algorithm::kSarsa) choice = choose(values, random);
    bootstrap = algorithm_ == Algorithm::kQ ? values[best(values)] : values[choice.action];
  }
  const auto action = static_cast<std::size_t>(policy_ ? 0 : action_[0]);
  const double delta = gain + settings_.gamma * bootstrap - value_.outputs()[action];
  if (!std::isfinite(delta)) throw diverged("its TD error");

  scaler_ = scaler;
  const double decay = settings_.gamma * settings_.lambda;
  if (policy_) {
    const double bonus = settings_.entropy * sign(delta);
    if (actions_.choices > 0)
      SoftmaxPolicy::gradient(policy_->outputs(), static_cast<std::size_t>(action_[0]), bonus,
                              weight_.data());
    else
      NormalPolicy::gradient(policy_->outputs(), action_, bonus, weight_.data());
    policy_->learn(weight_, delta, decay, done);
  }
  Update update{delta, 0, scaler_.normalised_return()};
  if (policy_) {
    constexpr double kOne = 1;
    update.step = value_.learn({&kOne, 1}, delta, decay, done);
  } else {
    weight_[action] = 1;
    // Watkins: what an exploratory action led to says nothing of the greedy policy's past.
    update.step = value_.learn(weight_, delta, decay, done || (algorithm_ == Algorithm::kQ && !greedy_));
    weight_[action] = 0;
  }
  acting_ = !done;
  if (acting_) {
    value_.forward(next);
    if (policy_) policy_->forward(next);
  }
  input_.commit(x);
  if (!acting_) return update;
  if (algorithm_ == Algorithm::kSarsa) {
    random_ = random;
    action_[0] = static_cast<double>(choice.action), greedy_ = choice.greedy;
    ++chosen_;
  } else {
    act();
  }
  return update;
}

void Controller::executed(std::span<const double> action) {
  if (action.size() != action_.size())
    throw bad_data("the action has " + std::to_string(action.size()) + " numbers, expected " +
                   std::to_string(action_.size()));
  for (const double a : action) {
    if (actions_.choices == 0 && !acceptable(a))
      throw bad_data("the action is " + std::to_string(a) + ", expected a number between -1e100 and 1e100");
    if (actions_.choices > 0 && !(a >= 0 && a < static_cast<double>(actions_.choices) && a == std::floor(a)))
      throw bad_data("the action is " + shown(a) + ", expected a whole number from 0 to " +
                     std::to_string(actions_.choices - 1));
  }
  std::copy(action.begin(), action.end(), action_.begin());
  if (!policy_) greedy_ = static_cast<std::size_t>(action_[0]) == best(value_.outputs());
}

void Controller::save(Archive& state) const {
  value_.save(state.group("value"));
  if (policy_) policy_->save(state.group("policy"));
  input_.save(state.group("observation"));
  scaler_.save(state.group("reward"));
  state.set("random", random_.state());
  state.set("action", action_);
  state.set("chosen", chosen_);
  state.set("greedy", greedy_);
  state.set("acting", acting_);
}

void Controller::load(const Archive& state) {
  value_.load(state.group("value"));
  if (policy_) policy_->load(state.group("policy"));
  input_.load(state.group("observation"));
  scaler_.load(state.group("reward"));
  random_.restore(state.get<std::vector<std::int64_t>>("random"));
  const auto action = state.get<std::vector<double>>("action");
  if (action.size() != action_.size())
    throw bad_data("the saved action has " + std::to_string(action.size()) + " numbers, expected " +
                   std::to_string(action_.size()));
  action_ = action;
  chosen_ = state.get<std::int64_t>("chosen");
  acting_ = state.get<bool>("acting");
  if (acting_) {
    value_.forward(input_.now());
    if (policy_) policy_->forward(input_.now());
    executed(action_);  // refuses what no checkpoint of ours holds
  }
  greedy_ = state.get<bool>("greedy");
}

std::size_t Controller::state_bytes() const {
  return sizeof *this - sizeof value_ - sizeof policy_ + value_.state_bytes() +
         (policy_ ? policy_->state_bytes() : 0) + input_.state_bytes() +
         (action_.size() + weight_.size()) * sizeof(double);
}

}  // namespace stream::rl
