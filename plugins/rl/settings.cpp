#include "rl/settings.hpp"

#include "stream/error.hpp"

namespace stream::rl {

namespace {
Rule rule_of(const std::string& name) {
  return name == "obgd"            ? Rule::kObgd
         : name == "adaptive-obgd" ? Rule::kAdaptiveObgd
         : name == "sgd"           ? Rule::kSgd
                                   : Rule::kAdam;
}
}  // namespace

Network::Shape Settings::shape(std::size_t inputs, std::size_t outputs) const {
  Network::Shape shape{.inputs = inputs, .hidden = hidden, .outputs = outputs, .layer_norm = layer_norm};
  if (filters > 0) shape.grid = grid, shape.filters = filters;
  return shape;
}

Spec Settings::declare(Spec spec) {
  return std::move(spec)
      .param("hidden", std::vector<std::int64_t>{64, 64},
             "widths of the hidden layers; none: a linear learner", range(1, 4096))
      .param("gamma", 0.99, "discount of the next step", range(0, 1))
      .param("lambda", 0.8, "decay of the eligibility traces beside gamma", range(0, 1))
      .param("optimizer", "obgd",
             "rule of the update: overshooting-bounded, the same with normalised traces, or the classic ones",
             choices({"obgd", "adaptive-obgd", "sgd", "adam"}))
      .param("rate", 1.0, "alpha of obgd, step size of sgd and adam", range(0, 100))
      .param("kappa_value", 2.0, "bound of obgd on values: an update moves the weights by 1/kappa in all",
             range(0.01, 1e6))
      .param("sparsity", 0.9, "part of each unit's inputs whose initial weight is 0", range(0, 1))
      .param("layer_norm", true, "normalise every hidden layer before its non-linearity")
      .param("normalize", true, "normalise observations by their running mean and deviation")
      .param("scale_rewards", true, "divide rewards by the running deviation of their discounted sum");
}

Spec Settings::declare_control(Spec spec) {
  return declare(std::move(spec))
      .param("learner", "q", "stream Q(lambda), SARSA(lambda) or AC(lambda)", choices({"q", "sarsa", "ac"}))
      .param("kappa_policy", 3.0, "as kappa_value, for the policy of ac", range(0.01, 1e6))
      .param("entropy", 0.01, "weight of the policy's entropy in ac", range(0, 100))
      .param("epsilon", std::vector<double>{1.0, 0.01},
             "part of random actions of q and sarsa: at first, and in the end", range(0, 1))
      .param("epsilon_steps", std::int64_t{5000}, "actions over which epsilon falls", at_least(0))
      .param("filters", std::int64_t{16},
             "of a first 3x3 convolution, where observations are grids; 0: none; a multiple of 8",
             range(0, 256));
}

Settings Settings::from(const Params& p) {
  Settings s;
  s.hidden.clear();
  std::size_t weights = 0, before = 1;
  for (const auto width : p.get<std::vector<std::int64_t>>("hidden")) {
    s.hidden.push_back(static_cast<std::size_t>(width));
    weights += before * s.hidden.back();
    before = s.hidden.back();
  }
  if (s.hidden.size() > 16 || weights > 50'000'000)
    throw bad_recipe("hidden: expected at most 16 layers and 50 million weights between them");
  s.gamma = p.get<double>("gamma");
  s.lambda = p.get<double>("lambda");
  s.rule = rule_of(p.get<std::string>("optimizer"));
  s.rate = p.get<double>("rate");
  s.kappa_value = p.get<double>("kappa_value");
  s.sparsity = p.get<double>("sparsity");
  s.layer_norm = p.get<bool>("layer_norm");
  s.normalize = p.get<bool>("normalize");
  s.scale_rewards = p.get<bool>("scale_rewards");
  return s;
}

Settings Settings::control_from(const Params& p) {
  Settings s = from(p);
  s.kappa_policy = p.get<double>("kappa_policy");
  s.entropy = p.get<double>("entropy");
  const auto epsilon = p.get<std::vector<double>>("epsilon");
  if (epsilon.size() != 2)
    throw bad_recipe("epsilon has " + std::to_string(epsilon.size()) +
                     " numbers, expected two: at first, and in the end");
  s.epsilon_first = epsilon[0], s.epsilon_last = epsilon[1];
  s.epsilon_steps = p.get<double>("epsilon_steps");
  s.filters = p.get<std::size_t>("filters");
  if (s.filters % 8 != 0)
    throw bad_recipe("filters is " + std::to_string(s.filters) + ", expected a multiple of 8");
  return s;
}

Algorithm algorithm_of(const std::string& name) {
  return name == "q" ? Algorithm::kQ : name == "sarsa" ? Algorithm::kSarsa : Algorithm::kAc;
}

}  // namespace stream::rl
