/// Runners in a plane, simulated by MuJoCo: what the four of them share.
///
/// E. Todorov, T. Erez, Y. Tassa, MuJoCo, IROS 2012. Observations, rewards and ends are those that OpenAI Gym
/// published for its v4 tasks; the bodies are our own (share/environments/*.xml), or any file of the same
/// joints.
#pragma once

#include <memory>
#include <string>

#include "stream/environment.hpp"

struct mjModel_;
struct mjData_;

namespace stream {

struct MujocoTask {
  std::string name, summary, about, model;
  int joints = 0;  ///< degrees of freedom, three of the root among them
  int actions = 0;
  int hidden = 1;           ///< positions that are not observed: x, or x and y
  int frame_skip = 5;       ///< simulated steps in a step
  double control_cost = 0;  ///< times the sum of the actions' squares
  double alive = 0;         ///< earned by each step in health
  double start_noise = 0;   ///< of positions, uniform; of velocities, uniform or normal
  bool normal_velocities = false;
  double velocity_bound = 0;  ///< observed velocities are clipped to it; 0 for not at all
  bool (*healthy)(const double* positions, const double* velocities, int joints) = nullptr;
};

class MujocoWorld : public Environment {
 public:
  ~MujocoWorld() override;

 protected:
  MujocoWorld(const MujocoTask& task, const Params& params);
  static Spec spec_of(const MujocoTask& task);
  static Spaces spaces_of(const MujocoTask& task);

 private:
  void start(std::span<double> observation) override;
  Outcome move(std::span<const double> action, std::span<double> observation) override;
  void store(Archive& state) const override;
  void restore(const Archive& state) override;
  void observe(std::span<double> observation) const;

  struct DeleteModel {
    void operator()(mjModel_* model) const;
  };
  struct DeleteData {
    void operator()(mjData_* data) const;
  };
  const MujocoTask& task_;
  std::unique_ptr<mjModel_, DeleteModel> model_;
  std::unique_ptr<mjData_, DeleteData> data_;
};

class HalfCheetah final : public MujocoWorld {
 public:
  static Spec spec();
  static Spaces spaces(const Params& params);
  explicit HalfCheetah(const Params& params);
};

class Hopper final : public MujocoWorld {
 public:
  static Spec spec();
  static Spaces spaces(const Params& params);
  explicit Hopper(const Params& params);
};

class Walker final : public MujocoWorld {
 public:
  static Spec spec();
  static Spaces spaces(const Params& params);
  explicit Walker(const Params& params);
};

class Swimmer final : public MujocoWorld {
 public:
  static Spec spec();
  static Spaces spaces(const Params& params);
  explicit Swimmer(const Params& params);
};

}  // namespace stream
