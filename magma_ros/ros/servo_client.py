"""What the controller needs of a MoveIt Servo, whichever it is.

Jazzy's and Humble's Servo have other services, types and status numbers: ``servo_jazzy.py`` and
``servo_humble.py`` are the adapters, and ``servo_finder.py`` takes the one that is there.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Protocol

from magma_ros.data_types import Pose, Twist
from magma_ros.motion.causes import Cause, Severity
from magma_ros.motion.reason_codes import Reason

SILENT = 'SILENT'  # no status was heard yet; Servo is also silent while paused
SILENCE_S = 1.0  # every loop has a status (measured: 100 Hz); a new Servo needs 1.3 s to its first
REASONS = {
    'INVALID': Reason.SERVO,
    'DECELERATE_FOR_APPROACHING_SINGULARITY': Reason.SINGULAR,
    'HALT_FOR_SINGULARITY': Reason.SINGULAR,
    'DECELERATE_FOR_COLLISION': Reason.COLLISION,
    'HALT_FOR_COLLISION': Reason.COLLISION,
    'JOINT_BOUND': Reason.JOINT_LIMIT,
}
SEVERITIES = {  # of what is more than Servo's own braking
    'INVALID': Severity.HOLD,
    'DECELERATE_FOR_COLLISION': Severity.DEGRADED,  # slower, lest its 10 Hz check come too late
    'HALT_FOR_COLLISION': Severity.HOLD,
}


NoteStamp = Callable[[int], None]


def ignore_stamp(stamp_ns: int) -> None:
    """For whoever does not listen for twists of others."""


class CommandMode(enum.Enum):
    """What is streamed to Servo."""

    TWIST = 'twist'
    POSE = 'pose'


class ServoClient(Protocol):
    """One Servo. Twists and poses are in base axes, about and of the tool centre point."""

    @property
    def is_ready(self) -> bool:
        """Whether Servo is alive, not paused, and obeys commands of the wanted mode."""

    @property
    def is_paused(self) -> bool:
        """Whether Servo has agreed to publish nothing, so that others may move the arm."""

    @property
    def status_name(self) -> str:
        """The status last heard, by its name in ServoStatus; Servo latches it."""

    @property
    def reason(self) -> Reason | None:
        """What the status means to us; None when nothing is wrong."""

    def prepare(self) -> None:
        """Ask once more for what is still missing; call about once a second."""

    def send(self, twist: Twist, stamp_ns: int) -> None:
        """Command a twist, from any thread; dropped while Servo is being paused or switched."""

    def send_pose(self, goal: Pose, measured: Pose, stamp_ns: int) -> None:
        """Command the next small step towards a pose, from any thread; call it 50 times a second.

        The steps begin at ``measured``: Servo overshoots and swings when a target jumps.
        """

    def select(self, mode: CommandMode) -> None:
        """Change what is streamed, after a ramp to rest.

        Raises:
            ConfigurationError: this Servo has no such mode.
        """

    def pause(self) -> None:
        """Bring the arm to rest, then let Servo publish nothing, so that others may move it."""

    def resume(self) -> None:
        """Go on after a pause."""


def reason_of(status_name: str) -> Reason | None:
    """What a status means to us; a status nobody knows is a refusal."""
    if status_name.startswith('UNKNOWN'):
        return Reason.SERVO
    return REASONS.get(status_name)


def cause_of(status_name: str) -> Cause | None:
    """What a status demands of the controller; None where Servo sees to it by itself."""
    reason = reason_of(status_name)
    if reason is Reason.SERVO:
        return Cause(reason, Severity.HOLD)
    severity = SEVERITIES.get(status_name)
    return None if reason is None or severity is None else Cause(reason, severity)
