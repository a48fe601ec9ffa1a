"""How much faster than real time an episode runs through the core, rendering included."""

from __future__ import annotations

import time

from magma_ros.benchmarks.record import Entry
from magma_ros.evaluation.core_runs import ExpertPolicy
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.sim.camera import SimCamera
from magma_ros.sim.rollout import run_episode
from magma_ros.sim.scenario import make_scenario
from magma_ros.sim.world import World

EPISODES = 5


def measure() -> list[Entry]:
    """Simulated seconds per second, one process."""
    world = World(load_arm_profile('wx250s'))
    camera = SimCamera(world)
    simulated_s, started_s = 0.0, time.perf_counter()
    for seed in range(EPISODES):
        scenario = make_scenario('put', seed)
        policy = ExpertPolicy(world, scenario.task)
        simulated_s += run_episode(world, camera, policy, scenario.task, scenario.scene).duration_s
    factor = simulated_s / (time.perf_counter() - started_s)
    camera.close()
    return [Entry('sim-speed', round(factor, 2), 'x real time', 3.0, higher_is_better=True)]
