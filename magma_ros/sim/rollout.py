"""Runs an episode through the core: the same predict and command as the nodes, without ROS.

Faster than real time; time is the simulation's. What inference costs is charged: a chunk takes
effect only ``latency_s`` after its picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from magma_ros.data_types import DeltaChunk, Observation
from magma_ros.pipeline import POLICY_PERIOD_S, MotionMemory, command
from magma_ros.sim.camera import SimCamera
from magma_ros.sim.scene import Scene
from magma_ros.sim.servo_records import CommandType, ServoSettings, TwistCommand
from magma_ros.sim.servo_stand_in import ServoStandIn
from magma_ros.sim.tasks import TIME_LIMIT_S, SuccessJudge, Task
from magma_ros.sim.world import World

CONTROL_PERIOD_S = 0.02
CAMERA_DELAY_S = 0.02  # exposure and transport: a picture is this old when it arrives


class Policy(Protocol):
    """Whatever turns an observation into a chunk; the expert, the model, noise."""

    def act(self, observation: Observation, sequence: int) -> DeltaChunk | None:
        """The next chunk, or None to let the present one run out."""

    def latency_s(self) -> float:
        """How long the last ``act`` took, or is said to have taken."""


@dataclass(frozen=True)
class EpisodeResult:
    """How one episode went."""

    task: Task
    success: bool
    duration_s: float
    steps: int
    clipped: tuple[str, ...]  # limits that acted at least once


def run_episode(
    world: World,
    camera: SimCamera,
    policy: Policy,
    task: Task,
    scene: Scene,
    time_limit_s: float | None = None,
    after_success_s: float = 0.0,
    on_tick: Callable[[float], None] | None = None,
) -> EpisodeResult:
    """Lay the table, let the policy act until the task is done or time is up.

    Args:
        world: the simulated table; it is reset to ``scene``.
        camera: its camera.
        policy: called every POLICY_PERIOD_S, later when it takes longer.
        task: what counts as success.
        scene: the layout.
        time_limit_s: default TIME_LIMIT_S of the task.
        after_success_s: keep going this long after the success (for recordings).
        on_tick: called after each control tick with the time.
    """
    world.reset(scene)
    camera.place(scene)
    profile = world.profile
    servo = ServoStandIn(
        world.kinematics,
        ServoSettings(
            publish_period=CONTROL_PERIOD_S,
            lower_singularity_threshold=profile.singularity_slow,
            hard_stop_singularity_threshold=profile.singularity_stop,
            joint_limit_margin=profile.joint_margin_rad,
        ),
    )
    servo.switch_command_type(CommandType.TWIST)
    start_state = world.arm_state(0)
    memory = MotionMemory.at_rest(start_state)
    judge = SuccessJudge(task, world.truth())
    limit_s = time_limit_s if time_limit_s is not None else TIME_LIMIT_S[task.kind]
    pending: list[tuple[float, DeltaChunk]] = []
    next_look_s, tick, steps, done_s = 0.0, 0, 0, math.inf
    joints = start_state.joint_positions_rad
    clipped: set[str] = set()
    while tick * CONTROL_PERIOD_S < min(limit_s, done_s + after_success_s):
        now_s = tick * CONTROL_PERIOD_S
        now_ns = round(now_s * 1e9)
        arm = world.arm_state(now_ns)
        if now_s >= next_look_s - 1e-9:
            observation = Observation(
                camera.render(now_ns),
                arm,
                camera.model(),
                partial(camera.render_depth, now_ns),
            )
            chunk = policy.act(observation, steps + 1)
            ready_s = now_s + CAMERA_DELAY_S + policy.latency_s()
            if chunk is not None:
                pending.append((ready_s, chunk))
            next_look_s = max(now_s + POLICY_PERIOD_S, ready_s - CAMERA_DELAY_S)
            steps += 1
        arrived = None
        if pending and pending[0][0] <= now_s + 1e-9:
            arrived = pending.pop(0)[1]
        result = command(memory, arm, arrived, True, profile.limits, CONTROL_PERIOD_S, now_ns)
        clipped.update(result.clipped)
        servo.receive(TwistCommand(result.twist, profile.base_link, now_s))
        servo.tick(now_s, arm.joint_positions_rad)
        world.set_gripper_target(result.gripper_opening)
        # Where Servo wants to be next, at once: its look-ahead is not part of this loop.
        goal = servo.commanded_rad
        for share in (0.5, 1.0):  # the arm's own trajectory interpolation
            world.set_joint_targets(joints + share * (goal - joints))
            world.step(CONTROL_PERIOD_S / 2)
        joints = goal
        tick += 1
        if on_tick is not None:
            on_tick(tick * CONTROL_PERIOD_S)
        if judge.update(world.truth(), tick * CONTROL_PERIOD_S) and done_s == math.inf:
            done_s = tick * CONTROL_PERIOD_S
    return EpisodeResult(
        task,
        done_s < math.inf,
        min(done_s, tick * CONTROL_PERIOD_S),
        steps,
        tuple(sorted(clipped)),
    )
