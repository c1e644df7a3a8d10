#include "diffusion_policy/policy.hpp"

#include "nn/weights.hpp"
#include "stream/error.hpp"

namespace stream::diffusion_policy {
namespace {

constexpr const char* kArchitecture = "streaming-diffusion-policy";
constexpr const char* kObjectives[] = {"streaming", "diffusion", "cloning"};

}  // namespace

const char* name_of(Objective objective) { return kObjectives[static_cast<int>(objective)]; }

Objective objective_of(const std::string& name) {
  for (int i = 0; i < 3; ++i) {
    if (name == kObjectives[i]) return static_cast<Objective>(i);
  }
  throw bad_data("unknown objective '" + name + "'");
}

void save_policy(const std::string& path, const Policy& policy) {
  Archive file;
  Archive& about = file.group("model");
  about.set("architecture", kArchitecture);
  about.set("objective", name_of(policy.objective));
  about.set("executed", policy.executed);
  policy.network->shape().save(about);
  policy.observations.save(about.group("observations"));
  policy.actions.save(about.group("actions"));
  nn::save_weights(*policy.network, file.group("weights"), /*half=*/true);
  nn::write_model(path, file);
}

Policy load_policy(const std::string& path) {
  const Archive file = nn::read_model(path, kArchitecture);
  try {
    const Archive& about = file.group("model");
    Policy policy;
    policy.objective = objective_of(about.get<std::string>("objective"));
    policy.executed = about.get<std::int64_t>("executed");
    const DenoiserShape shape = DenoiserShape::load(about);
    if (policy.executed < 1 || policy.executed > shape.horizon - (shape.observed - 1))
      throw bad_data("model: it executes " + std::to_string(policy.executed) + " actions of a horizon of " +
                     std::to_string(shape.horizon));
    policy.observations = Normaliser::load(about.group("observations"), shape.observation);
    policy.actions = Normaliser::load(about.group("actions"), shape.action);
    // What is about to be allocated is bounded by what the file really holds (two bytes a weight).
    double wanted =
        static_cast<double>(shape.horizon) * 4 * static_cast<double>(shape.step_code * shape.step_code);
    for (const std::int64_t dim : shape.dims)
      wanted += 15 * static_cast<double>(dim) * static_cast<double>(dim);
    if (2 * wanted > static_cast<double>(file.group("weights").bytes()))
      throw bad_data("model: its weights are fewer than its hyper-parameters say");
    policy.network = std::make_shared<Denoiser>(shape, nn::generator(0));
    nn::load_weights(*policy.network, file.group("weights"));
    policy.network->eval();
    return policy;
  } catch (const Error& error) {
    throw error.within(path);
  }
}

}  // namespace stream::diffusion_policy
