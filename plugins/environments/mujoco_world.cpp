#include "environments/mujoco_world.hpp"

#include <mujoco/mujoco.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <mutex>

#include "stream/error.hpp"
#include "stream/log.hpp"

namespace stream {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// By default MuJoCo writes warnings to a file in the working directory.
void quieten() {
  static std::once_flag once;
  std::call_once(once, [] { mju_user_warning = [](const char* text) { log_debug("", text); }; });
}

/// Positions and velocities, without x, within (-100, 100).
bool within_bounds(const double* positions, const double* velocities, int joints, int first) {
  const auto small = [](double v) { return std::abs(v) < 100; };
  return std::all_of(positions + first, positions + joints, small) &&
         std::all_of(velocities, velocities + joints, small);
}

const MujocoTask& half_cheetah() {
  static const MujocoTask task{.name = "half-cheetah",
                               .summary = "Run as fast as possible on two legs of three links each.",
                               .about =
                                   "Earns the speed forward in m/s, less a tenth of the squared actions. "
                                   "There is no end but the limit.",
                               .model = "environments/half-cheetah.xml",
                               .joints = 9,
                               .actions = 6,
                               .frame_skip = 5,
                               .control_cost = 0.1,
                               .start_noise = 0.1,
                               .normal_velocities = true};
  return task;
}

const MujocoTask& hopper() {
  static const MujocoTask task{
      .name = "hopper",
      .summary = "Hop forward on one leg without falling.",
      .about =
          "Earns the speed forward in m/s and 1 for each step, less a thousandth of the squared actions. The "
          "episode ends when the torso is lower than 0.7 m or leans by 0.2 rad.",
      .model = "environments/hopper.xml",
      .joints = 6,
      .actions = 3,
      .frame_skip = 4,
      .control_cost = 1e-3,
      .alive = 1,
      .start_noise = 5e-3,
      .velocity_bound = 10,
      .healthy = [](const double* q, const double* v, int joints) {
        return q[1] > 0.7 && std::abs(q[2]) < 0.2 && within_bounds(q, v, joints, 2);
      }};
  return task;
}

const MujocoTask& walker() {
  static const MujocoTask task{
      .name = "walker",
      .summary = "Walk forward on two legs without falling.",
      .about =
          "Earns the speed forward in m/s and 1 for each step, less a thousandth of the squared actions. The "
          "episode ends when the torso is outside 0.8 to 2 m or leans by 1 rad.",
      .model = "environments/walker.xml",
      .joints = 9,
      .actions = 6,
      .frame_skip = 4,
      .control_cost = 1e-3,
      .alive = 1,
      .start_noise = 5e-3,
      .velocity_bound = 10,
      .healthy = [](const double* q, const double*, int) {
        return q[1] > 0.8 && q[1] < 2 && std::abs(q[2]) < 1;
      }};
  return task;
}

const MujocoTask& swimmer() {
  static const MujocoTask task{
      .name = "swimmer",
      .summary = "Swim forward with three links in a viscous plane.",
      .about =
          "Earns the speed forward in m/s, less a ten-thousandth of the squared actions. There is no end but "
          "the limit.",
      .model = "environments/swimmer.xml",
      .joints = 5,
      .actions = 2,
      .hidden = 2,
      .frame_skip = 4,
      .control_cost = 1e-4,
      .start_noise = 0.1};
  return task;
}

}  // namespace

void MujocoWorld::DeleteModel::operator()(mjModel_* model) const { mj_deleteModel(model); }
void MujocoWorld::DeleteData::operator()(mjData_* data) const { mj_deleteData(data); }

Spec MujocoWorld::spec_of(const MujocoTask& task) {
  return Spec{task.name, task.summary}
      .about(task.about + " Observed are positions but those along the ground, then velocities" +
             (task.velocity_bound > 0 ? " (clipped to 10)" : "") +
             "; definitions as published for OpenAI Gym's v4 tasks, with a body of our own.")
      .paper("Todorov, Erez, Tassa, MuJoCo: A physics engine for model-based control, IROS 2012")
      .path("model", task.model.c_str(), "the body in MuJoCo's XML; its joints must be as many")
      .param("limit", 1000, "steps after which an episode is cut off, 0 for never", at_least(0));
}

Spaces MujocoWorld::spaces_of(const MujocoTask& task) {
  const std::int64_t size = 2 * task.joints - task.hidden;
  return {Space::box({size}, -kInfinity, kInfinity), Space::box({task.actions}, -1, 1)};
}

MujocoWorld::MujocoWorld(const MujocoTask& task, const Params& params)
    : Environment(spaces_of(task), params.get<std::int64_t>("limit")), task_(task) {
  quieten();
  const std::string path = params.input_path("model");
  if (::access(path.c_str(), R_OK) != 0)
    throw no_input(path +
                   ": no such model (it is looked for beside the recipe and in the installed share folder)");
  std::array<char, 1000> message{};
  model_.reset(mj_loadXML(path.c_str(), nullptr, message.data(), message.size()));
  if (!model_) throw bad_data(path + ": " + message.data());
  if (model_->nq != task.joints || model_->nv != task.joints || model_->nu != task.actions)
    throw bad_data(path + ": has " + std::to_string(model_->nq) + " positions, " +
                   std::to_string(model_->nv) + " velocities and " + std::to_string(model_->nu) +
                   " actuators, expected " + std::to_string(task.joints) + ", " +
                   std::to_string(task.joints) + " and " + std::to_string(task.actions));
  data_.reset(mj_makeData(model_.get()));
  if (!data_) throw failed(path + ": MuJoCo has no memory for its state");
}

MujocoWorld::~MujocoWorld() = default;

void MujocoWorld::start(std::span<double> observation) {
  mj_resetData(model_.get(), data_.get());
  const double noise = task_.start_noise;
  for (int i = 0; i < task_.joints; ++i) data_->qpos[i] += random().uniform(-noise, noise);
  for (int i = 0; i < task_.joints; ++i)
    data_->qvel[i] += task_.normal_velocities ? noise * random().normal() : random().uniform(-noise, noise);
  mj_forward(model_.get(), data_.get());
  observe(observation);
}

Environment::Outcome MujocoWorld::move(std::span<const double> action, std::span<double> observation) {
  double effort = 0;
  for (int i = 0; i < task_.actions; ++i) {
    data_->ctrl[i] = clipped(action, static_cast<std::size_t>(i));
    effort += data_->ctrl[i] * data_->ctrl[i];
  }
  const double before = data_->qpos[0];
  for (int i = 0; i < task_.frame_skip; ++i) mj_step(model_.get(), data_.get());
  // MuJoCo puts the world back to its beginning when the simulation has become unstable; that step is the
  // last.
  const bool unstable = data_->warning[mjWARN_BADQPOS].number > 0 ||
                        data_->warning[mjWARN_BADQVEL].number > 0 ||
                        data_->warning[mjWARN_BADQACC].number > 0;
  observe(observation);
  if (unstable) return {0, true};
  const double speed = (data_->qpos[0] - before) / (task_.frame_skip * model_->opt.timestep);
  const bool healthy = !task_.healthy || task_.healthy(data_->qpos, data_->qvel, task_.joints);
  return {speed + (healthy ? task_.alive : 0) - task_.control_cost * effort, !healthy};
}

void MujocoWorld::observe(std::span<double> observation) const {
  const int seen = task_.joints - task_.hidden;
  std::copy_n(data_->qpos + task_.hidden, seen, observation.begin());
  for (int i = 0; i < task_.joints; ++i) {
    const double v = data_->qvel[i], bound = task_.velocity_bound;
    observation[static_cast<std::size_t>(seen) + static_cast<std::size_t>(i)] =
        bound > 0 ? std::clamp(v, -bound, bound) : v;
  }
}

void MujocoWorld::store(Archive& state) const {
  const auto n = static_cast<std::size_t>(task_.joints);
  state.set("positions", std::span<const double>(data_->qpos, n));
  state.set("velocities", std::span<const double>(data_->qvel, n));
  // The solver starts from the accelerations of the step before.
  state.set("warm_start", std::span<const double>(data_->qacc_warmstart, n));
  state.set("time", data_->time);
}

void MujocoWorld::restore(const Archive& state) {
  const auto n = static_cast<std::size_t>(task_.joints);
  const auto positions = stored(state, "positions", n), velocities = stored(state, "velocities", n);
  const auto warm_start = stored(state, "warm_start", n);
  mj_resetData(model_.get(), data_.get());
  std::copy(positions.begin(), positions.end(), data_->qpos);
  std::copy(velocities.begin(), velocities.end(), data_->qvel);
  data_->time = state.get<double>("time");
  mj_forward(model_.get(), data_.get());
  std::copy(warm_start.begin(), warm_start.end(), data_->qacc_warmstart);
}

Spec HalfCheetah::spec() { return spec_of(half_cheetah()); }
Spaces HalfCheetah::spaces(const Params&) { return spaces_of(half_cheetah()); }
HalfCheetah::HalfCheetah(const Params& params) : MujocoWorld(half_cheetah(), params) {}

Spec Hopper::spec() { return spec_of(hopper()); }
Spaces Hopper::spaces(const Params&) { return spaces_of(hopper()); }
Hopper::Hopper(const Params& params) : MujocoWorld(hopper(), params) {}

Spec Walker::spec() { return spec_of(walker()); }
Spaces Walker::spaces(const Params&) { return spaces_of(walker()); }
Walker::Walker(const Params& params) : MujocoWorld(walker(), params) {}

Spec Swimmer::spec() { return spec_of(swimmer()); }
Spaces Swimmer::spaces(const Params&) { return spaces_of(swimmer()); }
Swimmer::Swimmer(const Params& params) : MujocoWorld(swimmer(), params) {}

}  // namespace stream
