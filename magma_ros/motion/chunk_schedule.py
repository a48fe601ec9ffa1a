"""Which delta of which chunk is due now: the newest chunk wins, late steps are dropped by time."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from magma_ros.data_types import ArmState, DeltaChunk, EndEffectorDelta, MotionLimits, Pose
from magma_ros.motion.chunk_check import ChunkRules, find_refusal
from magma_ros.motion.delta_target import chunk_targets, keep_near
from magma_ros.motion.reason_codes import Reason
from magma_ros.rotations import quaternion_difference, turn_quaternion

RUNAWAY_M, RUNAWAY_RAD = 0.10, 0.5  # furthest a commanded reference may be from the arm


@dataclass(frozen=True)
class DueStep:
    """The goal of this moment: go there and wait at rest."""

    target_gripper_in_base: Pose
    gripper_opening: float
    image_stamp_ns: int | None = None  # None: no picture caused it
    clipped: tuple[str, ...] = ()


@dataclass
class ChunkSchedule:
    """Chunks in, the due step out. Holds only what a chunk needs to become targets."""

    rules: ChunkRules
    refused: Counter[Reason] = field(default_factory=Counter)
    refused_in_a_row: int = 0
    refusal: Reason | None = None  # of the chunk offered last
    _seen: DeltaChunk | None = None
    _accepted: dict[str, DeltaChunk] = field(default_factory=dict)  # newest per source
    _steps: tuple[DueStep, ...] = ()
    _image_stamp_ns: int = 0
    _step_ns: int = 1
    _states: deque[ArmState] = field(default_factory=deque)

    def remember(self, arm: ArmState) -> None:
        """Keep the measured state as long as a picture that old may still cause motion."""
        if self._states and arm.stamp_ns <= self._states[-1].stamp_ns:
            return
        self._states.append(arm)
        oldest_ns = arm.stamp_ns - int((self.rules.max_age_s + 0.2) * 1e9)
        while self._states[0].stamp_ns < oldest_ns:
            self._states.popleft()

    def offer(self, chunk: DeltaChunk, commanded: Pose, limits: MotionLimits, now_ns: int) -> None:
        """Take a chunk up, or refuse it and count why. The same object offered again is no news.

        ``commanded`` is the target last commanded. Needs one remembered state at least.
        """
        if chunk is self._seen:
            return
        self._seen = chunk
        self.refusal = find_refusal(
            chunk, self._accepted.get(chunk.source), self.rules, limits, now_ns
        )
        if self.refusal is not None:
            self.refused[self.refusal] += 1
            self.refused_in_a_row += 1
            return
        self.refused_in_a_row = 0
        self._accepted[chunk.source] = chunk
        self._image_stamp_ns, self._step_ns = chunk.image_stamp_ns, round(chunk.step_s * 1e9)
        if chunk.reference == 'measured':
            reference = self.measured_at(chunk.image_stamp_ns)
        else:
            measured = self._states[-1].pose_gripper_in_base
            reference = keep_near(commanded, measured, RUNAWAY_M, RUNAWAY_RAD)
        first = due_index(chunk.image_stamp_ns, self._step_ns, len(chunk.deltas), now_ns)
        targets = chunk_targets(chunk, reference, first, limits)
        self._steps = tuple(
            DueStep(target, _opening(delta), chunk.image_stamp_ns, clipped)
            for delta, (target, clipped) in zip(chunk.deltas, targets, strict=True)
        )

    def due(self, now_ns: int) -> DueStep | None:
        """The step whose time it is; the last of a chunk stays due. None before any chunk."""
        if not self._steps:
            return None
        index = due_index(self._image_stamp_ns, self._step_ns, len(self._steps), now_ns)
        return self._steps[index]

    def flush(self) -> None:
        """Forget what was to be executed; chunks still have to be newer than earlier ones."""
        self._steps = ()

    def measured_at(self, stamp_ns: int) -> Pose:
        """Where the gripper was at a time, between the two remembered states around it."""
        later = self._states[-1]
        for earlier in reversed(self._states):
            if earlier.stamp_ns <= stamp_ns:
                return _interpolate(earlier, later, stamp_ns)
            later = earlier
        return later.pose_gripper_in_base


def due_index(image_stamp_ns: int, step_ns: int, steps: int, now_ns: int) -> int:
    """Step k is due from image stamp + k steps on; the first from the start, the last for ever."""
    return min(max((now_ns - image_stamp_ns) // step_ns, 0), steps - 1)


def _opening(delta: EndEffectorDelta) -> float:
    return min(max(delta.gripper_opening, 0.0), 1.0)


def _interpolate(earlier: ArmState, later: ArmState, stamp_ns: int) -> Pose:
    start, end = earlier.pose_gripper_in_base, later.pose_gripper_in_base
    if later.stamp_ns <= earlier.stamp_ns:
        return start
    share = min(1.0, (stamp_ns - earlier.stamp_ns) / (later.stamp_ns - earlier.stamp_ns))
    turn = quaternion_difference(start.quaternion_xyzw, end.quaternion_xyzw)
    return Pose(
        start.translation_m + share * (end.translation_m - start.translation_m),
        turn_quaternion(start.quaternion_xyzw, share * turn),
    )
