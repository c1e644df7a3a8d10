/// The tasks of the study: CartPole with its ablation, Pendulum, Acrobot.
#pragma once

#include "rl/study_task.hpp"

namespace stream::rl {

struct TaskOptions {
  std::string environment;
  std::vector<std::size_t> hidden;
  std::int64_t steps = 0;
};

/// stream Q against Q(lambda) with SGD and with Adam on traces, each at several step sizes.
std::unique_ptr<StudyPart> cartpole_study(const TaskOptions& options, StudySeeds seeds, Context context);
/// stream Q without one of its four parts.
std::unique_ptr<StudyPart> ablation_study(const TaskOptions& options, StudySeeds seeds, Context context);
/// stream AC against AC(lambda) with SGD and with Adam, bare, and with everything but ObGD.
std::unique_ptr<StudyPart> pendulum_study(const TaskOptions& options, StudySeeds seeds, Context context);
/// stream Q against Q(lambda) with Adam and everything but ObGD.
std::unique_ptr<StudyPart> acrobot_study(const TaskOptions& options, StudySeeds seeds, Context context);
/// stream Q against Q(lambda) with SGD and with Adam on traces, the same convolution for all, on a 10x10
/// game.
std::unique_ptr<StudyPart> game_study(const TaskOptions& options, StudySeeds seeds, Context context);

}  // namespace stream::rl
