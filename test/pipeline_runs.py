"""An arm of arithmetic and streams of chunks: what the tests of command() run it with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from magma_ros.data_types import (
    ArmState,
    DeltaChunk,
    EndEffectorDelta,
    MotionCommand,
    MotionLimits,
    Pose,
)
from magma_ros.motion.norms import shorten
from magma_ros.pipeline import MotionMemory, command
from magma_ros.rotations import DOWN, make_pose, turn_quaternion

LIMITS = MotionLimits()
PERIOD_S, PERIOD_NS = 0.02, 20_000_000
START = make_pose(np.array([0.3, 0.0, 0.15]), DOWN)
SLACK = 1 + 1e-6
NAN = float('nan')


@dataclass
class SimulatedArm:
    """Integrates twists; its velocity follows the command with a first-order lag."""

    pose: Pose = START
    lag_s: float = 0.0
    linear: np.ndarray = field(default_factory=lambda: np.zeros(3))
    angular: np.ndarray = field(default_factory=lambda: np.zeros(3))

    def state(self, now_ns: int) -> ArmState:
        return ArmState(np.zeros(6), np.zeros(6), self.pose, 1.0, now_ns)

    def move(self, sent: MotionCommand, substeps: int = 8) -> None:
        share = 1.0 if self.lag_s == 0.0 else 1.0 - math.exp(-PERIOD_S / substeps / self.lag_s)
        for _ in range(substeps):
            self.linear = self.linear + share * (sent.twist.linear_m_s - self.linear)
            self.angular = self.angular + share * (sent.twist.angular_rad_s - self.angular)
            turn = self.angular * PERIOD_S / substeps
            self.pose = Pose(
                self.pose.translation_m + self.linear * PERIOD_S / substeps,
                turn_quaternion(self.pose.quaternion_xyzw, turn),
            )


def chunk_of(
    translation: list[float] | np.ndarray,
    rotation: list[float] | np.ndarray,
    stamp_ns: int,
    gripper: float = 1.0,
) -> DeltaChunk:
    delta = EndEffectorDelta(np.array(translation, float), np.array(rotation, float), gripper)
    sequence = stamp_ns // PERIOD_NS
    return DeltaChunk((delta,), 0.2, stamp_ns, 'measured', 'wx250s/base_link', sequence)


def run(
    arm: SimulatedArm,
    memory: MotionMemory,
    chunks: dict[int, DeltaChunk],
    ticks: range,
    may: bool = True,
) -> Iterator[MotionCommand]:
    """Yields after the arm has moved; ``chunks`` maps the tick of arrival to the chunk."""
    for tick in ticks:
        now_ns = tick * PERIOD_NS
        sent = command(memory, arm.state(now_ns), chunks.get(tick), may, LIMITS, PERIOD_S, now_ns)
        arm.move(sent)
        yield sent


def random_stream(rng: np.random.Generator, ticks: int, size: float) -> dict[int, DeltaChunk]:
    """5 Hz chunks that arrive 30 to 150 ms after their picture; now and then none."""
    chunks = {}
    drift, twirl = rng.normal(0, 0.03 * size, 3), rng.normal(0, 0.1 * size, 3)  # towards a wall
    for tick in range(0, ticks, 10):
        if rng.random() < 0.9:
            way, turn = rng.normal(drift, 0.02 * size), rng.normal(twirl, 0.1 * size)
            way, turn = shorten(way, 0.14), shorten(turn, 0.7)
            late = int(rng.integers(2, 8))
            chunks[tick + late] = chunk_of(way, turn, tick * PERIOD_NS, float(rng.random() < 0.5))
    return chunks
