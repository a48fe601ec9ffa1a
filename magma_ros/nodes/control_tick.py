"""One tick of the controller without ROS: state machine, then motion; also what it is told."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from magma_ros.data_types import ArmState, DeltaChunk, MotionCommand, MotionLimits
from magma_ros.motion.chunk_check import ChunkRules
from magma_ros.motion.reason_codes import Reason
from magma_ros.motion.state_machine import (
    ControllerState,
    HoldRules,
    Mode,
    Request,
    step,
)
from magma_ros.motion.watchdog import Cause, Observations, WatchdogThresholds, off_track_since
from magma_ros.pipeline import MotionMemory, command

PERIOD_SHARE = 0.3  # of a new interval in the measured time between chunks


@dataclass(frozen=True)
class Inputs:
    """What the controller sees around it. Ages in s on the monotonic clock."""

    arm: ArmState | None
    joints_age_s: float
    chunk: DeltaChunk | None
    estop_age_s: float | None = None
    is_estop_pressed: bool = False
    reported: tuple[Cause, ...] = ()


@dataclass
class ControlTick:
    """Keeps the state and the motion; a lock, because operators ask from another thread."""

    frame_id: str
    limits: MotionLimits
    period_s: float
    thresholds: WatchdogThresholds = field(default_factory=WatchdogThresholds)
    hold_rules: HoldRules = field(default_factory=HoldRules)
    state: ControllerState = field(default_factory=ControllerState)
    reasons: tuple[Reason, ...] = ()  # active now
    is_leaving: bool = False  # brake, whatever the state
    _memory: MotionMemory | None = None
    _chunk: DeltaChunk | None = None  # offered last
    _accepted_s: float | None = None
    _action_period_s: float = 0.2
    _off_track_since_s: float | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is commanded to move."""
        return self._memory is None or self._memory.is_held

    @property
    def refused(self) -> dict[str, int]:
        """How many chunks were refused since arming, by reason."""
        if self._memory is None:
            return {}
        return {reason.name: count for reason, count in self._memory.schedule.refused.items()}

    def chunk_age_s(self, now_s: float) -> float | None:
        """Since the last accepted chunk."""
        return None if self._accepted_s is None else now_s - self._accepted_s

    def ask(self, request: Request, inputs: Inputs, now_s: float) -> bool:
        """What an operator wants; whether it was granted, :attr:`reasons` says why not."""
        with self._lock:
            before = self.state.mode
            if request is Request.CLEAR and self.is_at_rest:
                self._memory = None  # its refusals are what is being cleared
            self._step(inputs, request, now_s)
            if before is Mode.DISARMED and self.state.mode is Mode.READY:
                assert inputs.arm is not None  # arming asks for fresh joint states
                rules = ChunkRules(frame_id=self.frame_id)
                self._memory = MotionMemory.at_rest(inputs.arm, rules)
                self._accepted_s = self._off_track_since_s = None
            return Reason.REQUEST_REFUSED not in self.reasons

    def tick(self, inputs: Inputs, now_s: float, now_ns: int) -> MotionCommand | None:
        """What to command now; None while there is nothing to command."""
        with self._lock:
            self._step(inputs, None, now_s)
            if inputs.arm is None or self._memory is None:
                return None
            if self.state.mode is Mode.DISARMED and self._memory.is_held:
                return None
            result = self._move(self._memory, inputs, inputs.arm, now_s, now_ns)
            self._watch_tracking(result, inputs.arm, now_s)
            return result

    def _step(self, inputs: Inputs, request: Request | None, now_s: float) -> None:
        memory = self._memory
        off_track_s = 0.0
        if self._off_track_since_s is not None:
            off_track_s = now_s - self._off_track_since_s
        seen = Observations(
            joints_age_s=inputs.joints_age_s,
            chunk_age_s=self.chunk_age_s(now_s),
            action_period_s=self._action_period_s,
            estop_age_s=inputs.estop_age_s,
            is_estop_pressed=inputs.is_estop_pressed,
            refused_in_a_row=0 if memory is None else memory.schedule.refused_in_a_row,
            off_track_s=off_track_s,
            is_verified=memory is None or not memory.violations,
            reported=inputs.reported,
        )
        self.state, self.reasons = step(
            self.state, seen, request, self.is_at_rest, now_s, self.thresholds, self.hold_rules
        )

    def _move(
        self,
        memory: MotionMemory,
        inputs: Inputs,
        arm: ArmState,
        now_s: float,
        now_ns: int,
    ) -> MotionCommand:
        may_move = self.state.may_move and not self.is_leaving
        chunk = inputs.chunk
        result = command(memory, arm, chunk, may_move, self.limits, self.period_s, now_ns)
        if chunk is not self._chunk:
            self._chunk = chunk
            if memory.schedule.refusal is None:
                self._note_accepted(now_s)
        return result

    def _note_accepted(self, now_s: float) -> None:
        if self._accepted_s is not None:
            interval_s = now_s - self._accepted_s
            self._action_period_s += PERIOD_SHARE * (interval_s - self._action_period_s)
        self._accepted_s = now_s

    def _watch_tracking(self, result: MotionCommand, arm: ArmState, now_s: float) -> None:
        if self.state.mode is not Mode.POLICY:
            self._off_track_since_s = None
            return
        self._off_track_since_s = off_track_since(
            self._off_track_since_s,
            arm.pose_gripper_in_base,
            result.target_gripper_in_base,
            self.thresholds,
            now_s,
        )
