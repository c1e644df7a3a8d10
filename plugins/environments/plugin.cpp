/// Plugin "environments": worlds for agents.
#include "stream/plugin.hpp"
#include "acrobot.hpp"
#include "cartpole.hpp"
#include "mountain_car.hpp"
#include "pendulum.hpp"

STREAM_PLUGIN("environments", stream::CartPole, stream::Acrobot, stream::MountainCar,
              stream::MountainCarContinuous, stream::Pendulum);
