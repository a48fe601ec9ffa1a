"""One tick of the controller without ROS: state machine, then motion; also what it is told."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from magma_ros.data_types import ArmState, DeltaChunk, MotionCommand, MotionLimits
from magma_ros.motion.causes import Cause
from magma_ros.motion.chunk_check import ChunkRules
from magma_ros.motion.confirmation import Confirmation
from magma_ros.motion.joint_limits import JointGuard
from magma_ros.motion.modes import (
    LATCHED,
    ControllerState,
    Mode,
    PlannedEnd,
    Request,
    TransitionRules,
)
from magma_ros.motion.motion_memory import MotionMemory
from magma_ros.motion.reason_codes import Reason
from magma_ros.motion.state_machine import speed_share, step
from magma_ros.motion.watchdog import Observations, WatchdogThresholds, off_track_since
from magma_ros.pipeline import command

PERIOD_SHARE = 0.3  # of a new interval in the measured time between chunks
STALE_COMMAND_S = 0.1  # Servo halts the arm when it hears nothing for so long


@dataclass(frozen=True)
class Inputs:
    """What the controller sees around it. Ages in s on the monotonic clock; None: not watched."""

    arm: ArmState | None
    joints_age_s: float
    chunk: DeltaChunk | None  # newest of the policy
    teleop_chunk: DeltaChunk | None = None  # newest of a person
    perception_age_s: float | None = None
    supervisor_age_s: float | None = None
    estop_age_s: float | None = None
    is_estop_pressed: bool = False
    deadman_age_s: float | None = None
    deadman_held_s: float | None = None
    confirmation: Confirmation = Confirmation()
    reported: tuple[Cause, ...] = ()
    failed_checks: tuple[str, ...] = ()
    clock_jumped_s: float | None = None  # when, the last time
    is_planned_running: bool = False  # something other than Servo still moves the arm
    planned_end: PlannedEnd | None = None


@dataclass
class ControlTick:
    """Keeps the state and the motion; a lock, because operators ask from another thread."""

    chunk_rules: ChunkRules
    limits: MotionLimits
    period_s: float
    thresholds: WatchdogThresholds = field(default_factory=WatchdogThresholds)
    rules: TransitionRules = field(default_factory=TransitionRules)
    joints: JointGuard | None = None
    session: str = 'session'  # of this process; part of the nonce
    state: ControllerState = field(default_factory=ControllerState)
    reasons: tuple[Reason, ...] = ()  # active now
    _memory: MotionMemory | None = None
    _chunks: dict[bool, DeltaChunk | None] = field(default_factory=dict)  # offered last, by side
    _moved_in: Mode = Mode.DISARMED  # mode of the last tick
    _has_steered: bool = False  # a person, since TELEOP began
    _accepted_s: float | None = None
    _action_period_s: float = 0.2
    _off_track_since_s: float | None = None
    _ticked_s: float | None = None
    _clock_jumped_s: float | None = None  # the jump that has been dealt with
    _spoken_s: float = -1e9  # the operator's last request
    _is_planned_running: bool = False
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is commanded to move."""
        is_held = self._memory is None or self._memory.is_held
        return is_held and not self._is_planned_running

    @property
    def nonce(self) -> str:
        """What the operator must confirm to raise; good for one raise of one process."""
        return f'{self.session}-{self.state.changes}'

    @property
    def refused(self) -> dict[str, int]:
        """How many chunks were refused since arming, by reason."""
        if self._memory is None:
            return {}
        return {reason.name: count for reason, count in self._memory.schedule.refused.items()}

    @property
    def gripper_wish(self) -> float | None:
        """The opening to send; None unless the arm may move and somebody has decided on one."""
        with self._lock:
            memory = self._memory
            is_wanted = memory is not None and memory.gate.is_decided and self.state.may_move
            return memory.gripper_opening if memory is not None and is_wanted else None

    def share(self, now_s: float) -> float:
        """Share of the speed that is allowed now."""
        return speed_share(self.state, now_s, self.rules)

    def chunk_age_s(self, now_s: float) -> float | None:
        """Since the last accepted chunk."""
        return None if self._accepted_s is None else now_s - self._accepted_s

    def ask(self, request: Request, inputs: Inputs, now_s: float) -> bool:
        """What an operator wants; whether it was granted, :attr:`reasons` says why not."""
        with self._lock:
            self._spoken_s = now_s
            if request is Request.CLEAR and self.is_at_rest and self.state.mode in LATCHED:
                self._memory = None  # its refusals are what is being cleared
            self._step(inputs, request, now_s)
            is_granted = Reason.REQUEST_REFUSED not in self.reasons
            if request is Request.START and is_granted and self._memory is not None:
                self._memory.schedule.forgive()
            return is_granted

    def tick(self, inputs: Inputs, now_s: float, now_ns: int) -> MotionCommand | None:
        """What to command now; None while there is nothing to command."""
        with self._lock:
            self._step(inputs, None, now_s)
            gap_s, self._ticked_s = self._tick_gap_s(now_s), now_s
            memory, arm = self._memory, inputs.arm
            if arm is None or memory is None:
                return None
            # A stopped arm is told nothing: zero twists make Servo repeat what the encoders say.
            if self.state.mode in (Mode.DISARMED, *LATCHED) and memory.is_held:
                return None
            if inputs.clock_jumped_s != self._clock_jumped_s:
                self._clock_jumped_s = inputs.clock_jumped_s
                memory.schedule.forget_times()
            if gap_s > STALE_COMMAND_S:
                memory.stand_still(arm.pose_gripper_in_base)
            result = self._move(memory, inputs, arm, now_s, now_ns)
            self._watch_tracking(result, arm, now_s)
            return result

    def _step(self, inputs: Inputs, request: Request | None, now_s: float) -> None:
        before = self.state.mode
        self._is_planned_running = inputs.is_planned_running
        self.state, self.reasons = step(
            self.state,
            self._observe(inputs, now_s),
            request,
            self.is_at_rest,
            now_s,
            self.thresholds,
            self.rules,
        )
        if before is Mode.ARMING and self.state.mode is Mode.READY:
            assert inputs.arm is not None  # arming asks for fresh joint states
            self._memory = MotionMemory.at_rest(inputs.arm, self.chunk_rules, self.joints)
            self._accepted_s = self._off_track_since_s = None

    def _observe(self, inputs: Inputs, now_s: float) -> Observations:
        memory, off_track_s = self._memory, 0.0
        if self._off_track_since_s is not None:
            off_track_s = now_s - self._off_track_since_s
        spoken_s = max(self._spoken_s, inputs.confirmation.since_s)  # nor is a taped button
        if inputs.deadman_held_s is not None:  # its press counts; a taped switch is nobody
            spoken_s = max(spoken_s, now_s - inputs.deadman_held_s)
        return Observations(
            joints_age_s=inputs.joints_age_s,
            chunk_age_s=self.chunk_age_s(now_s),
            action_period_s=self._action_period_s,
            perception_age_s=inputs.perception_age_s,
            supervisor_age_s=inputs.supervisor_age_s,
            tick_gap_s=self._tick_gap_s(now_s),
            estop_age_s=inputs.estop_age_s,
            is_estop_pressed=inputs.is_estop_pressed,
            deadman_age_s=inputs.deadman_age_s,
            deadman_held_s=inputs.deadman_held_s,
            presence_age_s=now_s - spoken_s,
            confirmed_s=inputs.confirmation.held_s(self.nonce, now_s),
            refused_in_a_row=0 if memory is None else memory.schedule.refused_in_a_row,
            refused_of_last=0 if memory is None else memory.schedule.refused_of_last,
            off_track_s=off_track_s,
            is_verified=memory is None or not memory.violations,
            reported=inputs.reported,
            failed_checks=inputs.failed_checks,
            planned_end=inputs.planned_end,
            is_planned_running=inputs.is_planned_running,
        )

    def _move(
        self,
        memory: MotionMemory,
        inputs: Inputs,
        arm: ArmState,
        now_s: float,
        now_ns: int,
    ) -> MotionCommand:
        by_hand = self.state.mode is Mode.TELEOP
        chunk = inputs.teleop_chunk if by_hand else inputs.chunk
        is_news = chunk is not self._chunks.get(by_hand)
        permission = self.share(now_s)
        if by_hand and not (self._has_steered or is_news):
            permission = 0.0  # what the policy wanted ends here; brake until the person steers
        if self._moved_in is not self.state.mode:
            self._moved_in, self._has_steered = self.state.mode, False
            permission = 0.0 if by_hand else permission  # nor is an old gesture taken up
        result = command(memory, arm, chunk, permission, self.limits, self.period_s, now_ns)
        if is_news:
            self._chunks[by_hand] = chunk
            if memory.schedule.refusal is None:
                self._has_steered = by_hand and permission > 0.0
                self._note_accepted(now_s)
        return result

    def _note_accepted(self, now_s: float) -> None:
        if self._accepted_s is not None:
            interval_s = now_s - self._accepted_s
            self._action_period_s += PERIOD_SHARE * (interval_s - self._action_period_s)
        self._accepted_s = now_s

    def _watch_tracking(self, result: MotionCommand, arm: ArmState, now_s: float) -> None:
        if not self.state.may_move:
            self._off_track_since_s = None
            return
        self._off_track_since_s = off_track_since(
            self._off_track_since_s,
            arm.pose_gripper_in_base,
            result.target_gripper_in_base,
            self.thresholds,
            now_s,
        )

    def _tick_gap_s(self, now_s: float) -> float:
        return 0.0 if self._ticked_s is None else now_s - self._ticked_s
