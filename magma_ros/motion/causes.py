"""What may be wrong, and what each of it demands: the one table of the safety core.

A cause names a reason code; its rule says how bad it may be, when it counts as over, whether a
person may drive on by hand meanwhile, and whether a HOLD may end by itself afterwards. Nothing can
be deferred. Who may raise which cause is decided where it is read: perception, for one, never
more than HOLD.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from magma_ros.motion.reason_codes import Reason


class Severity(enum.IntEnum):
    """What a cause demands. The most severe wins; no cause at all is less than any."""

    WARN = 1  # say so
    DEGRADED = 2  # go on, but at a quarter of the speed
    HOLD = 3  # brake, stay, may go on when the operator says so
    STOP = 4  # brake, latch
    ESTOP = 5  # brake, latch, the input must be released first


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong now."""

    reason: Reason
    severity: Severity

    @property
    def allows_takeover(self) -> bool:
        """Whether a person may drive by hand while this lasts."""
        return self.severity < Severity.STOP and CAUSE_RULES[self.reason].allows_takeover


@dataclass(frozen=True)
class CauseRule:
    """What is agreed about one reason."""

    severities: tuple[Severity, ...]  # what it may demand, mildest first
    clears: str  # when it counts as over
    allows_takeover: bool = False  # the person's own eyes replace what failed
    may_resume: bool = False  # a HOLD may end by itself, if the operator allowed that beforehand


_DEGRADED, _HOLD, _STOP = (Severity.DEGRADED,), (Severity.HOLD,), (Severity.STOP,)
_HOLD_STOP, _ESTOP = (Severity.HOLD, Severity.STOP), (Severity.ESTOP,)
_IMAGE = CauseRule(_HOLD, 'perception reports a usable picture', True, True)

# Reasons that are not here refuse an action or a request; they demand nothing of the arm.
CAUSE_RULES: dict[Reason, CauseRule] = {
    Reason.ACTION_STALE: CauseRule(_HOLD, 'an action is accepted', True, True),
    Reason.ACTION_REFUSED: CauseRule(_HOLD_STOP, 'an action is accepted', True),
    Reason.ACTION_REFUSED_SHARE: CauseRule(_HOLD, 'the operator starts again', True),
    Reason.CAMERA_STALE: CauseRule(_HOLD_STOP, 'a picture comes', True, True),
    Reason.CAMERA_FROZEN: _IMAGE,
    Reason.CAMERA_DARK: _IMAGE,
    Reason.CAMERA_FORMAT: _IMAGE,
    Reason.CAMERA_SLOW: CauseRule(_DEGRADED, 'the rate is back', True, True),
    Reason.CAMERA_STAMP: _IMAGE,
    Reason.CAMERA_FRAME: _IMAGE,
    Reason.JOINTS_STALE: CauseRule(_HOLD_STOP, 'fresh joint states', may_resume=True),
    Reason.JOINTS_INVALID: CauseRule(_STOP, 'joint states as the arm profile says'),
    Reason.TF: CauseRule(_HOLD, 'perception has its transforms', True),
    Reason.CLOCK_JUMP: CauseRule(_HOLD_STOP, 'one second without a jump'),
    Reason.TRACKING: CauseRule(_STOP, 'the arm is where it was sent'),
    Reason.EFFORT: CauseRule(_HOLD_STOP, 'the effort is below its limit'),
    Reason.TEMP: CauseRule((Severity.DEGRADED, Severity.STOP), 'the motor has cooled', True),
    Reason.COLLISION: CauseRule((Severity.DEGRADED, Severity.HOLD), 'Servo sees room again'),
    Reason.MODEL_CRASH: CauseRule(_HOLD, 'the model is loaded again', True),
    Reason.MODEL_OOM: CauseRule(_HOLD, 'the model is loaded again', True),
    Reason.MODEL_HASH: CauseRule(_HOLD, 'the model that was armed with is back', True),
    Reason.MODEL_LOAD: CauseRule(_HOLD, 'the node is configured anew', True),
    Reason.MODEL_LOADING: CauseRule(_HOLD, 'the model is loaded', True),
    Reason.MODEL_SLOW: CauseRule(_DEGRADED, 'the model is as fast as before', True, True),
    Reason.HEARTBEAT_CONTROLLER: CauseRule(_HOLD_STOP, 'the controller is heard'),
    Reason.HEARTBEAT_PERCEPTION: CauseRule(_HOLD, 'perception is heard', True, True),
    Reason.HEARTBEAT_SUPERVISOR: CauseRule(_HOLD_STOP, 'the supervisor is heard', may_resume=True),
    Reason.HEARTBEAT_RECORDER: CauseRule(_HOLD, 'the recorder is heard', may_resume=True),
    Reason.HEARTBEAT_OPERATOR: CauseRule(_HOLD, 'the program is heard'),
    Reason.ESTOP: CauseRule(_ESTOP, 'the input is released and heard'),
    Reason.DEADMAN: CauseRule(_HOLD, 'the switch is heard again', True),
    Reason.OPERATOR_HOLD: CauseRule(_HOLD, 'at once', True),
    Reason.PRESENCE: CauseRule(_HOLD, 'the operator says anything', True),
    Reason.PUBLISHER_CONFLICT: CauseRule(_HOLD, 'one second without the other commands'),
    Reason.UNKNOWN_INPUT: CauseRule(_HOLD, 'one second without such an input', True),
    Reason.OVERRUN: CauseRule(_HOLD_STOP, 'the loop ticks', may_resume=True),
    Reason.SERVO: CauseRule(_HOLD_STOP, 'Servo answers', may_resume=True),
    Reason.DISK: CauseRule(_HOLD, 'there is room on the disk', True),
    Reason.RECORDER: CauseRule(_HOLD, 'the recorder records', True),
    Reason.VERIFY_FAILED: CauseRule(_STOP, 'arming again'),
}


def reported_cause(name: str, worst: Severity, severity: Severity = Severity.HOLD) -> Cause:
    """What another node reports by the name of a reason, never more severe than ``worst``.

    A name that is not understood is a reason to hold, too.
    """
    reason = Reason.__members__.get(name)
    if reason not in CAUSE_RULES:
        return Cause(Reason.UNKNOWN_INPUT, min(worst, Severity.HOLD))
    return Cause(reason, min(worst, severity))
