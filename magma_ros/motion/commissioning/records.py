"""What the first motions of an arm are written down as, and what may be found wrong with it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from magma_ros.data_types import FloatArray, Pose
from magma_ros.rotations import quaternion_difference

REST = 'rest'  # a stroke during which nothing is sent
HOLD = 'hold'  # Servo is told to stand still
TURNS = ('roll', 'pitch', 'yaw')
AXES = ('x', 'y', 'z', *TURNS)  # of the base link; turns about the tool centre point


class Kind(enum.Enum):
    """In what the arm and its profile (with the URDF) disagree."""

    MISSING_JOINT = 'missing joint'
    JOINT_UNIT = 'unit of joint_states'
    JOINT_RANGE = 'joint outside of its limits'
    JOINT_ORDER = 'joint order'
    JOINT_SIGN = 'sign of a joint'
    JOINT_STUCK = 'joint does not move'
    JOINT_FOLLOWS_BADLY = 'joint follows badly'
    ARM_STILL = 'arm does not move'
    SERVO_SILENT = 'Servo does not command this arm'
    OTHER_ARM = 'another arm moves'
    RESTLESS = 'arm moves without being told to'
    BASE_FRAME = 'base frame'
    TOOL_FRAME = 'tool frame'
    OTHER_FRAME = 'unknown frame'
    AXIS_SIGN = 'sign of an axis'
    AXIS_BLOCKED = 'axis cannot be tried'
    TIP = 'tool centre point'
    MOTION_UNIT = 'unit of motion'
    TRANSFORM = 'transform'
    DESCRIPTION = 'robot_description'
    SEEN = 'seen by the person'
    GRIPPER_POLARITY = 'gripper polarity'
    GRIPPER_UNIT = 'gripper unit'
    GRIPPER_TRAVEL = 'gripper travel'
    GRIPPER_STUCK = 'gripper does not move'


@dataclass(frozen=True)
class Mismatch:
    """One disagreement: what it is, and the next step."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Sample:
    """One moment of the arm."""

    time_s: float  # on any clock that only goes forward
    joints_rad: FloatArray  # (dof,), as joint_states say
    tool_in_base: Pose  # forward kinematics of them
    commanded_rad: FloatArray | None  # (dof,), what Servo sends the arm to; None: never heard
    others_rad: Mapping[str, float]  # joints that are not of this arm


@dataclass(frozen=True)
class Stroke:
    """A small motion along or about one axis, from rest to rest."""

    name: str  # rest, hold, or an axis with its sign: +x, -yaw
    sent: FloatArray  # (6,) m and rad in base axes: integral of the twists
    asked_rad: FloatArray  # (dof,) what these twists mean for the joints by our kinematics
    before: Sample
    after: Sample
    surprise: str = ''  # why it was broken off; empty: it was not
    was_seen: bool | None = None  # by the person, going where it should; None: nobody was asked

    @property
    def axis(self) -> str:
        """The axis without its sign."""
        return self.name.lstrip('+-')

    @property
    def joints_moved_rad(self) -> FloatArray:
        """(dof,) by joint_states."""
        return self.after.joints_rad - self.before.joints_rad

    @property
    def joints_told_rad(self) -> FloatArray:
        """(dof,) what the joints were told: by Servo where it was heard."""
        told, began = self.after.commanded_rad, self.before.commanded_rad
        return self.asked_rad if told is None or began is None else told - began

    @property
    def tool_moved(self) -> FloatArray:
        """(6,) translation and rotation vector in base axes."""
        return tool_motion(self.before, self.after)

    @property
    def others_moved_rad(self) -> dict[str, float]:
        """How far joints of other names went."""
        return {
            name: abs(position - self.before.others_rad[name])
            for name, position in self.after.others_rad.items()
            if name in self.before.others_rad
        }


def tool_motion(before: Sample, after: Sample) -> FloatArray:
    """(6,) translation and rotation vector of the tool in base axes."""
    start, end = before.tool_in_base, after.tool_in_base
    turn = quaternion_difference(start.quaternion_xyzw, end.quaternion_xyzw)
    return np.concatenate([end.translation_m - start.translation_m, turn])
