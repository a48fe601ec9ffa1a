"""Gestures -> the action chunks a policy would send, with ``source`` teleop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from magma_ros.data_types import ArmState, DeltaChunk, EndEffectorDelta, Pose
from magma_ros.motion.chunk_check import TELEOP
from magma_ros.motion.norms import shorten
from magma_ros.rotations import quaternion_difference
from magma_ros.teleop.frames import twist_in_base
from magma_ros.teleop.gesture import TeleopGesture

AS_IT_IS = 0.5  # half open is neither open nor closed, so the controller's gripper gate stays
CLOCK_JUMP_NS = 500_000_000  # further back than this the clock was set, and stamps begin anew
REACH_M, REACH_RAD = 0.05, 0.25  # of one delta towards a goal: what the envelope takes in a step


class ChunkMaker:
    """Numbers the chunks of one process; sequences and stamps always grow.

    Args:
        frame_id: base link of the arm.
        period_s: of the gestures.
    """

    def __init__(self, frame_id: str, period_s: float) -> None:
        self._frame_id, self._period_s = frame_id, period_s
        self._last_ns = 0
        self._sequence = 0
        self._opening = AS_IT_IS

    def forget_gripper(self) -> None:
        """The switch was let go: whatever happens to the gripper meanwhile is right."""
        self._opening = AS_IT_IS

    def make(
        self, gesture: TeleopGesture, arm: ArmState | None, camera: Pose | None, now_ns: int
    ) -> DeltaChunk | None:
        """What to send for this period; None when there is nothing to say.

        A velocity becomes a displacement from the target commanded last. A goal becomes one from
        where the arm was measured, so that the target is the goal however late the chunk is. A
        recorded chunk keeps its deltas and is stamped anew. ``camera``: pose in the base frame.

        Raises:
            LookupError: the frame of the gesture is not known (yet).
        """
        if gesture.gripper_opening is not None:
            self._opening = gesture.gripper_opening
        if gesture.recorded is not None:
            return self._stamped(gesture.recorded, now_ns)
        goal = gesture.goal_gripper_in_base
        if goal is not None:
            if arm is None:
                return None
            measured = arm.pose_gripper_in_base
            turn = quaternion_difference(measured.quaternion_xyzw, goal.quaternion_xyzw)
            delta = EndEffectorDelta(
                shorten(goal.translation_m - measured.translation_m, REACH_M),
                shorten(turn, REACH_RAD),
                self._opening,
            )
            chunk = DeltaChunk((delta,), self._period_s, 0, 'measured', self._frame_id)
            return self._stamped(chunk, arm.stamp_ns)
        tool = None if arm is None else arm.pose_gripper_in_base
        twist = twist_in_base(gesture.twist, gesture.frame, tool, camera)
        shift = twist.linear_m_s * self._period_s
        turn = twist.angular_rad_s * self._period_s
        delta = EndEffectorDelta(np.asarray(shift), np.asarray(turn), self._opening)
        chunk = DeltaChunk((delta,), self._period_s, 0, 'commanded', self._frame_id)
        return self._stamped(chunk, now_ns)

    def _stamped(self, chunk: DeltaChunk, stamp_ns: int) -> DeltaChunk | None:
        """Numbered by milliseconds of the clock: a restarted process goes on above the old one."""
        if self._last_ns - CLOCK_JUMP_NS < stamp_ns <= self._last_ns:
            return None  # nothing new was measured; the controller refuses an old stamp
        self._last_ns = stamp_ns
        self._sequence = max(self._sequence + 1, stamp_ns // 1_000_000)
        return replace(
            chunk,
            image_stamp_ns=stamp_ns,
            frame_id=self._frame_id,
            sequence=self._sequence,
            source=TELEOP,
        )
