"""How closely the simulated arm follows a recorded 5 Hz demonstration: RMS from the plain path.

The demonstrations are made at run time: the scripted expert does one task of each kind, and the
pose of the tool is recorded at 5 Hz, as a data set would have it. Then the same table is laid
again and the recording is played: each delta leads from one recorded pose to the next, through
``pipeline.command``, the stand-in of MoveIt Servo and the physics.

The unsmoothed path goes in a straight line from each recorded pose to the next within 0.2 s. The
tool is compared with it at every control period, after one constant delay was taken out, that with
the smallest RMS; it is an entry of its own, since an arm that is late is not for that reason in
the wrong place.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from magma_ros.benchmarks.record import Entry
from magma_ros.data_types import ArmState, DeltaChunk, EndEffectorDelta, FloatArray, Observation
from magma_ros.evaluation.core_runs import ExpertPolicy
from magma_ros.pipeline import POLICY_PERIOD_S
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.rotations import quaternion_difference
from magma_ros.sim.camera import SimCamera
from magma_ros.sim.rollout import CONTROL_PERIOD_S, run_episode
from magma_ros.sim.scenario import Scenario, make_scenario
from magma_ros.sim.tasks import TASK_KINDS
from magma_ros.sim.world import World

GOAL_MM = 5.0
LONGEST_DELAY_S, GOAL_DELAY_MS = 0.5, 300.0
NO_DELTA = EndEffectorDelta(np.zeros(3), np.zeros(3), 1.0)


@dataclass(frozen=True)
class Tracking:
    """How one demonstration was followed."""

    rms_m: float
    delay_s: float


@dataclass
class RecordingPolicy:
    """Acts as the expert does, and keeps the arm state of every picture."""

    expert: ExpertPolicy
    states: list[ArmState] = field(default_factory=list)
    openings: list[float] = field(default_factory=list)  # wished for

    def act(self, observation: Observation, sequence: int) -> DeltaChunk:
        """The expert's delta."""
        chunk = self.expert.act(observation, sequence)
        self.states.append(observation.arm)
        self.openings.append(chunk.deltas[0].gripper_opening)
        return chunk

    def latency_s(self) -> float:
        """As the expert's."""
        return self.expert.latency_s()


@dataclass(frozen=True)
class ReplayingPolicy:
    """Does again what was recorded, without looking."""

    recording: RecordingPolicy
    frame_id: str

    def act(self, observation: Observation, sequence: int) -> DeltaChunk:
        """From one recorded pose to the next."""
        states, index = self.recording.states, sequence - 1
        delta = NO_DELTA
        if index + 1 < len(states):
            here, there = (state.pose_gripper_in_base for state in states[index : index + 2])
            delta = EndEffectorDelta(
                there.translation_m - here.translation_m,
                quaternion_difference(here.quaternion_xyzw, there.quaternion_xyzw),
                self.recording.openings[index],
            )
        stamp_ns = observation.image.stamp_ns
        return DeltaChunk(
            (delta,), POLICY_PERIOD_S, stamp_ns, 'commanded', self.frame_id, sequence, 'replay'
        )

    def latency_s(self) -> float:
        """There is nothing to think about."""
        return 0.0


def measure() -> list[Entry]:
    """The worst of the demonstrations."""
    world = World(load_arm_profile('wx250s'))
    camera = SimCamera(world)
    found = [follow(world, camera, make_scenario(kind, seed=0)) for kind in TASK_KINDS]
    camera.close()
    rms_mm = max(tracking.rms_m for tracking in found) * 1e3
    delay_ms = max(tracking.delay_s for tracking in found) * 1e3
    return [
        Entry('demonstration-tracking-rms', round(rms_mm, 2), 'mm', GOAL_MM),
        Entry('demonstration-tracking-delay', round(delay_ms), 'ms', GOAL_DELAY_MS),
    ]


def follow(world: World, camera: SimCamera, scenario: Scenario) -> Tracking:
    """Record one demonstration, and play it."""
    task, scene = scenario.task, scenario.scene
    recording = RecordingPolicy(ExpertPolicy(world, task))
    run_episode(world, camera, recording, task, scene)
    path_m = np.array([state.pose_gripper_in_base.translation_m for state in recording.states])
    tools_m: list[FloatArray] = []
    run_episode(
        world,
        camera,
        ReplayingPolicy(recording, world.profile.base_link),
        task,
        scene,
        time_limit_s=len(path_m) * POLICY_PERIOD_S,
        after_success_s=len(path_m) * POLICY_PERIOD_S,
        on_tick=lambda now_s: tools_m.append(world.truth().tool_m),
    )
    return compare(path_m, np.array(tools_m))


def compare(path_m: FloatArray, tools_m: FloatArray) -> Tracking:
    """Recorded poses (m, 3), one each 0.2 s, and where the tool was (n, 3), once per period."""
    stamps_s = POLICY_PERIOD_S * np.arange(len(path_m))
    times_s = CONTROL_PERIOD_S * np.arange(1, len(tools_m) + 1)
    best = Tracking(np.inf, 0.0)
    for delay_s in np.arange(0.0, LONGEST_DELAY_S, CONTROL_PERIOD_S / 2):
        meant = np.column_stack(
            [np.interp(times_s - delay_s, stamps_s, axis) for axis in path_m.T]
        )
        rms_m = float(np.sqrt(np.mean(np.sum((tools_m - meant) ** 2, axis=1))))
        if rms_m < best.rms_m:
            best = Tracking(rms_m, float(delay_s))
    return best
