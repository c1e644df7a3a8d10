/// Plugin "environments": worlds for agents.
#include "stream/plugin.hpp"
#include "environments/acrobot.hpp"
#include "environments/asterix.hpp"
#include "environments/breakout.hpp"
#include "environments/cartpole.hpp"
#include "environments/freeway.hpp"
#include "environments/gate_world.hpp"
#include "environments/mountain_car.hpp"
#include "environments/mujoco_world.hpp"
#include "environments/pendulum.hpp"
#include "environments/push_t.hpp"
#include "environments/seaquest.hpp"
#include "environments/space_invaders.hpp"
#include "environments/twin_track.hpp"

using namespace stream;
STREAM_PLUGIN("environments", Acrobot, Asterix, Breakout, CartPole, Freeway, GateWorld, HalfCheetah, Hopper,
              MountainCar, MountainCarContinuous, Pendulum, PushT, Seaquest, SpaceInvaders, Swimmer,
              TwinTrack, Walker);
