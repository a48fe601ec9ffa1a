"""What broken drivers send in the place of joint states."""

from __future__ import annotations

import math
from collections.abc import Callable

from sensor_msgs.msg import JointState


def _not_finite(message: JointState) -> None:
    message.position[1] = math.nan


def _beyond(message: JointState) -> None:
    message.position[1] = 9.0


def _reversed(message: JointState) -> None:
    message.name = message.name[::-1]
    message.position = message.position[::-1]
    message.velocity = message.velocity[::-1]


def _missing(message: JointState) -> None:
    message.name = message.name[1:]
    message.position = message.position[1:]
    message.velocity = message.velocity[1:]


def _twice(message: JointState) -> None:
    message.name = [message.name[1], *message.name[1:]]


# Each changes a good message in place.
JOINT_STATE_FAULTS: dict[str, Callable[[JointState], None]] = {
    'nan': _not_finite,
    'beyond': _beyond,
    'reversed': _reversed,
    'missing': _missing,
    'twice': _twice,
}
