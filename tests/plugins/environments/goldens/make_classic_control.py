#!/usr/bin/env python3
"""Writes classic_control.json: steps of the classic control tasks as Gymnasium computes them.

    pip install gymnasium && python3 make_classic_control.py > classic_control.json

Each step is [state before, action, state after, observation, reward, terminated]. Gymnasium rounds some states
and observations to float32; here it computes in float64 throughout.
"""
import json

import gymnasium
import numpy as np
from gymnasium.envs.classic_control import acrobot, cartpole, continuous_mountain_car, mountain_car, pendulum


class DoubleNumpy:
    """numpy, with float64 where float32 is asked for."""

    float32 = np.float64

    def __getattr__(self, name):
        return getattr(np, name)


for module in (acrobot, cartpole, continuous_mountain_car, mountain_car, pendulum):
    module.np = DoubleNumpy()

TASKS = {
    "cartpole": (cartpole.CartPoleEnv, {}),
    "acrobot": (acrobot.AcrobotEnv, {}),
    "mountain-car": (mountain_car.MountainCarEnv, {}),
    "mountain-car-continuous": (continuous_mountain_car.Continuous_MountainCarEnv, {}),
    "pendulum": (pendulum.PendulumEnv, {}),
}


def numbers(values):
    return [float(v) for v in np.asarray(values, dtype=np.float64).reshape(-1)]


def action_for(name, env, rng, state):
    """Random, but for the cars: they swing, or the far end of the road would never be seen."""
    if name == "mountain-car":
        return 2 if state[1] >= 0 else 0
    if name == "mountain-car-continuous":
        return np.array([(1.0 if state[1] >= 0 else -1.0) * rng.uniform(0.5, 1.2)])
    if name == "pendulum":
        return np.array([rng.uniform(-2.5, 2.5)])
    return int(rng.integers(env.action_space.n))


def main():
    rng = np.random.default_rng(7)
    golden = {}
    for name, (make, options) in TASKS.items():
        env = make(**options)
        steps = []
        for episode in range(3):
            env.reset(seed=episode)
            for step in range(150 if name.startswith("mountain") else 60):
                before = np.array(env.state, dtype=np.float64)
                if name == "acrobot" and step % 3 == 2:  # random play never swings it up, nor fast
                    before = rng.uniform(-1, 1, 4) * [np.pi, np.pi, 4 * np.pi, 9 * np.pi]
                env.state = before.copy()
                action = action_for(name, env, rng, before)
                seen, reward, over, _, _ = env.step(action)
                steps.append([numbers(before), numbers(action), numbers(env.state), numbers(seen), float(reward),
                              bool(over)])
                if over and name != "acrobot":
                    break
        golden[name] = steps
    print(json.dumps({"gymnasium": gymnasium.__version__, "tasks": golden}))


if __name__ == "__main__":
    main()
