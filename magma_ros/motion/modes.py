"""The modes of the controller, what can be asked of it, and what it remembers."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from magma_ros.motion.reason_codes import Reason


class Mode(enum.Enum):
    """What the controller does."""

    DISARMED = 'disarmed'
    ARMING = 'arming'
    READY = 'ready'
    POLICY = 'policy'
    TELEOP = 'teleop'
    PLANNED = 'planned'
    HOLD = 'hold'
    STOP = 'stop'
    ESTOP = 'estop'
    FINALIZED = 'finalized'


class Request(enum.Enum):
    """What the operator can ask for; LEAVE is the process itself when it is told to end."""

    ARM = 'arm'
    START = 'start'
    HOLD = 'hold'
    CLEAR = 'clear'
    DISARM = 'disarm'
    ESTOP = 'estop'
    HOME = 'home'
    APPROACH = 'approach'
    RETREAT = 'retreat'
    LEAVE = 'leave'


@dataclass(frozen=True)
class TransitionRules:
    """Times of the machine (s), and whether a HOLD may end without the operator."""

    arming_hold_s: float = 1.0  # the button is held so long
    arming_within_s: float = 5.0  # or arming is given up
    stop_after_s: float = 10.0  # a HOLD with its cause still there: STOP
    may_resume: bool = False  # go on by itself, the operator's choice
    resume_clear_s: float = 0.5  # nothing wrong for this long
    resume_within_s: float = 5.0  # and the hold not longer than this
    degraded_share: float = 0.25  # of the speed
    degraded_clear_s: float = 1.0  # no such cause for this long: full speed again


@dataclass(frozen=True)
class PlannedEnd:
    """How the planned motion ended that began when the mode PLANNED did."""

    begun_s: float  # since_s of the state that it belongs to
    has_arrived: bool


@dataclass(frozen=True)
class ControllerState:
    """The mode, since when, and why. Times on the monotonic clock."""

    mode: Mode = Mode.DISARMED
    since_s: float = 0.0
    reasons: tuple[Reason, ...] = ()  # what led here
    changes: int = 0  # counts modes, ARMING apart: the nonce is made of it
    has_causes: bool = False
    causes_changed_s: float = 0.0  # since when that is so
    degraded_s: float | None = None  # when a DEGRADED cause was last there
    is_resumable: bool = False  # held while the policy moved, for reasons that allow it
    latched_below: tuple[Reason, ...] = ()  # ESTOP: the reasons of a STOP that is still latched

    @property
    def may_move(self) -> bool:
        """Whether commands to Servo may contain motion other than braking."""
        return self.mode in MOVING


MOVING = (Mode.POLICY, Mode.TELEOP)  # by commands to Servo
ARMED = (Mode.READY, *MOVING, Mode.PLANNED, Mode.HOLD)
LATCHED = (Mode.STOP, Mode.ESTOP)
DESTINATIONS = (Request.HOME, Request.APPROACH, Request.RETREAT)
