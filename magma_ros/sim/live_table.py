"""The simulated table in real time: one thread advances it, others command it and look at it."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import mujoco

from magma_ros.data_types import ArmState
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.sim.scenario import Scenario
from magma_ros.sim.tasks import SuccessJudge, Truth
from magma_ros.sim.trajectory_player import TrajectoryPlayer, TrajectoryPoint
from magma_ros.sim.world import World

TICKS_PER_JUDGEMENT = 2  # the rollouts judge every 20 ms, too


@dataclass(frozen=True)
class Outcome:
    """How the present episode stands."""

    episode: int  # counts resets
    scenario: Scenario
    success: bool
    done_s: float | None  # when, since the reset
    truth: Truth


class LiveTable:
    """All methods may be called from any thread; none holds the lock longer than a reset takes."""

    def __init__(self, profile: ArmProfile, scenario: Scenario) -> None:
        self._lock = threading.Lock()
        self._world = World(profile)
        self._episode, self._clock_s = 0, 0.0
        self._player = TrajectoryPlayer(self._world.arm_state(0).joint_positions_rad)
        self.reset(scenario)

    def reset(self, scenario: Scenario) -> None:
        """Lay the table; the arm is at the start pose of the scene and stays there."""
        with self._lock:
            self._world.reset(scenario.scene)
            self._player.reset(self._world.arm_state(0).joint_positions_rad)
            self._scenario, self._episode = scenario, self._episode + 1
            self._judge = SuccessJudge(scenario.task, self._world.truth())
            self._done_s: float | None = None
            self._ticks = 0

    def advance(self, period_s: float) -> bool:
        """One step of the physics; whether the task has just been done."""
        with self._lock:
            self._clock_s += period_s
            self._world.set_joint_targets(self._player.at(self._clock_s)[0])
            self._world.step(period_s)
            self._ticks += 1
            if self._done_s is not None or self._ticks % TICKS_PER_JUDGEMENT:
                return False
            time_s = self._ticks * period_s
            if self._judge.update(self._world.truth(), time_s):
                self._done_s = time_s
            return self._done_s is not None

    def follow(self, points: list[TrajectoryPoint]) -> bool:
        """Replace the trajectory; times from now. False when all of it is past."""
        with self._lock:
            now_s = self._clock_s
            moved = [
                TrajectoryPoint(now_s + p.time_s, p.positions_rad, p.velocities_rad_s)
                for p in points
            ]
            return self._player.replace(moved, now_s)

    def stop(self) -> None:
        """Stay here."""
        with self._lock:
            self._player.stop(self._clock_s)

    @property
    def has_arrived(self) -> bool:
        """Whether the trajectory is over."""
        with self._lock:
            return self._player.is_done(self._clock_s)

    def set_gripper(self, opening: float) -> None:
        """Target of the gripper."""
        with self._lock:
            self._world.set_gripper_target(opening)

    def arm_state(self, stamp_ns: int) -> ArmState:
        """What the encoders say."""
        with self._lock:
            return self._world.arm_state(stamp_ns)

    def copy_to(self, other: World) -> int:
        """Give another world this state (about 50 us); the number of the episode.

        Its camera and light stay its own: they are placed in the model of that world.
        """
        with self._lock:
            mujoco.mj_copyData(other.data, other.model, self._world.data)
            other.scene, episode = self._world.scene, self._episode
        mujoco.mj_camlight(other.model, other.data)
        return episode

    def outcome(self) -> Outcome:
        """How the episode stands."""
        with self._lock:
            return Outcome(
                self._episode,
                self._scenario,
                self._done_s is not None,
                self._done_s,
                self._world.truth(),
            )
