"""Chunks in, the step that is due out: what latency made stale is dropped by time."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field, replace

from magma_ros.data_types import ArmState, DeltaChunk, EndEffectorDelta, MotionLimits, Pose
from magma_ros.motion.chunk_blending import (
    DueStep,
    PlannedChunk,
    blend,
    due_index,
    keep_for_blending,
)
from magma_ros.motion.chunk_check import ChunkRules, find_refusal, is_teleop
from magma_ros.motion.delta_target import chunk_targets, keep_near
from magma_ros.motion.reason_codes import Reason
from magma_ros.rotations import quaternion_difference, turn_quaternion

RUNAWAY_M, RUNAWAY_RAD = 0.10, 0.5  # furthest a commanded reference may be from the arm
REMEMBERED_CHUNKS = 100  # for the share of refused ones


@dataclass
class ChunkSchedule:
    """Chunks in, the due step out. Holds only what a chunk needs to become targets."""

    rules: ChunkRules
    refused: Counter[Reason] = field(default_factory=Counter)
    refused_in_a_row: int = 0
    refusal: Reason | None = None  # of the chunk offered last
    _outcomes: deque[bool] = field(default_factory=lambda: deque(maxlen=REMEMBERED_CHUNKS))
    # By side: False is the policy, True a person.
    _seen: dict[bool, DeltaChunk] = field(default_factory=dict)
    _accepted: dict[bool, DeltaChunk] = field(default_factory=dict)
    _chunks: tuple[PlannedChunk, ...] = ()  # oldest first
    _states: deque[ArmState] = field(default_factory=deque)

    @property
    def refused_of_last(self) -> int:
        """How many of the last REMEMBERED_CHUNKS were refused."""
        return sum(self._outcomes)

    def forgive(self) -> None:
        """The operator starts anew: earlier refusals no longer count."""
        self.refused_in_a_row = 0
        self._outcomes.clear()

    def remember(self, arm: ArmState) -> None:
        """Keep the measured state as long as a picture that old may still cause motion.

        After the clock went back the states that seem to be of the future are forgotten.
        """
        if self._states and arm is self._states[-1]:
            return
        while self._states and self._states[-1].stamp_ns >= arm.stamp_ns:
            self._states.pop()
        self._states.append(arm)
        oldest_ns = arm.stamp_ns - int((self.rules.max_age_s + 0.2) * 1e9)
        while self._states[0].stamp_ns < oldest_ns:
            self._states.popleft()

    def offer(self, chunk: DeltaChunk, commanded: Pose, limits: MotionLimits, now_ns: int) -> None:
        """Take a chunk up, or refuse it and count why. The same object offered again is no news.

        ``commanded`` is the target last commanded. Needs one remembered state at least.
        """
        side = is_teleop(chunk)
        if chunk is self._seen.get(side):
            return
        self._seen[side] = chunk
        self.refusal = find_refusal(chunk, self._accepted.get(side), self.rules, limits, now_ns)
        self._outcomes.append(self.refusal is not None)
        if self.refusal is not None:
            self.refused[self.refusal] += 1
            self.refused_in_a_row += 1
            return
        self.refused_in_a_row = 0
        self._accepted[side] = chunk
        plan = self._plan(chunk, commanded, limits, now_ns)
        self._chunks = keep_for_blending(self._chunks, plan, self.rules.blending, now_ns)

    def due(self, now_ns: int) -> DueStep | None:
        """The step whose time it is; the last of a chunk stays due. None before any chunk."""
        return blend(self._chunks, now_ns) if self._chunks else None

    def flush(self) -> None:
        """Forget what was to be executed; chunks still have to be newer than earlier ones."""
        self._chunks = ()

    def forget_times(self) -> None:
        """The clock has jumped: stamps from before mean nothing now, sequences still count."""
        self.flush()
        self._states.clear()
        for side, chunk in self._accepted.items():
            self._accepted[side] = replace(chunk, image_stamp_ns=0)

    def _plan(
        self, chunk: DeltaChunk, commanded: Pose, limits: MotionLimits, now_ns: int
    ) -> PlannedChunk:
        step_ns = round(chunk.step_s * 1e9)
        if chunk.reference == 'measured':
            reference = self.measured_at(chunk.image_stamp_ns)
        else:
            measured = self._states[-1].pose_gripper_in_base
            reference = keep_near(commanded, measured, RUNAWAY_M, RUNAWAY_RAD)
        first = due_index(chunk.image_stamp_ns, step_ns, len(chunk.deltas), now_ns)
        targets = chunk_targets(chunk, reference, first, limits)
        steps = tuple(
            DueStep(target, _opening(delta), chunk.image_stamp_ns, clipped, index)
            for index, (delta, (target, clipped)) in enumerate(
                zip(chunk.deltas, targets, strict=True)
            )
        )
        return PlannedChunk(chunk.image_stamp_ns, step_ns, steps)

    def measured_at(self, stamp_ns: int) -> Pose:
        """Where the gripper was at a time, between the two remembered states around it."""
        later = self._states[-1]
        for earlier in reversed(self._states):
            if earlier.stamp_ns <= stamp_ns:
                return _interpolate(earlier, later, stamp_ns)
            later = earlier
        return later.pose_gripper_in_base


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
