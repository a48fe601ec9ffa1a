"""The records that travel between the stages. Frozen, small, with units and frames at the field.

Conventions of the whole project, stated once:

* SI units: metres, radians, seconds; nanoseconds where a stamp is meant (``_ns``).
* Frames in the name: ``pose_gripper_in_base`` maps gripper coordinates to the arm's base frame.
* Quaternions are (x, y, z, w). Rotation vectors are axis * angle. Euler angles never leave
  ``rotations.py``, ``model/action_scaling.py`` and the datasets they come from.
* Pictures are RGB uint8 of shape (height, width, 3). Pixels are (x, y), x to the right, y down.
* A gripper opening is 0 (closed) to 1 (open).
* Time is an argument. ``*_ns`` stamps are on the ROS clock, ``now_s`` is on the monotonic clock.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Pose:
    """A rigid transform; the field that holds it names both frames."""

    translation_m: FloatArray  # (3,)
    quaternion_xyzw: FloatArray  # (4,), unit norm


@dataclass(frozen=True)
class Twist:
    """Velocity of the gripper in base axes; the rotation acts about the tool centre point.

    This is what MoveIt Servo does with a TwistStamped given in the base frame, and what Bridge
    deltas mean.
    """

    linear_m_s: FloatArray  # (3,)
    angular_rad_s: FloatArray  # (3,), rotation vector per second

    @staticmethod
    def zero() -> Twist:
        """No motion."""
        return Twist(np.zeros(3), np.zeros(3))


# ----------------------------------------------------------------------------------------- camera


@dataclass(frozen=True)
class CameraImage:
    """One colour picture as the camera gave it."""

    rgb: NDArray[np.uint8]  # (height, width, 3)
    stamp_ns: int
    frame_id: str


@dataclass(frozen=True)
class DepthImage:
    """Depth aligned to the colour picture (same size, same optical frame). 0 means no reading."""

    depth_m: NDArray[np.float32]  # (height, width)
    stamp_ns: int


@dataclass(frozen=True)
class CameraModel:
    """A pinhole camera and where it is. Optical frame: x right, y down, z forward (REP-103)."""

    width_px: int
    height_px: int
    focal_x_px: float
    focal_y_px: float
    centre_x_px: float
    centre_y_px: float
    pose_camera_in_base: Pose


# ------------------------------------------------------------------------------------------ model


@dataclass(frozen=True)
class EndEffectorDelta:
    """One 7-DoF action: a displacement that is executed once.

    The translation is in base axes; the rotation is applied from the left (base axes, about the
    tool point).
    """

    translation_m: FloatArray  # (3,)
    rotation_vector_rad: FloatArray  # (3,)
    gripper_opening: float  # 0 closed .. 1 open, absolute


Reference = Literal['measured', 'commanded']
# The components of a delta in messages and datasets, in their order.
CHUNK_NAMES = ('x_m', 'y_m', 'z_m', 'rx_rad', 'ry_rad', 'rz_rad', 'gripper')


@dataclass(frozen=True)
class DeltaChunk:
    """Deltas that belong to one picture, complete in itself.

    ``reference`` says what the first delta is relative to: the pose *measured* when the picture
    was taken (DROID convention, used by magma-nano) or the pose last *commanded* (Bridge
    convention). Each further delta is relative to the target of the one before.
    """

    deltas: tuple[EndEffectorDelta, ...]
    step_s: float  # each delta is meant to take this long
    image_stamp_ns: int  # the picture that caused it
    reference: Reference
    frame_id: str  # axes of the deltas: the arm's base link
    sequence: int = 0  # strictly increasing per source
    source: str = 'policy'  # who commands: policy, path, teleop, ...


class GripperEvent(enum.Enum):
    """What the gripper does at the path point it belongs to (HAMSTER's action tags)."""

    CLOSE = 'Close Gripper'
    OPEN = 'Open Gripper'


@dataclass(frozen=True)
class PixelTrace:
    """Where one mark is and where it will move, in pixels of the source picture.

    ``events`` maps the index of a point in ``points_px`` to what the gripper does there. Plain
    Trace-of-Mark answers have none.
    """

    mark: int
    start_px: FloatArray  # (2,)
    points_px: FloatArray  # (n, 2), the future positions
    events: dict[int, GripperEvent] = field(default_factory=dict)


@dataclass(frozen=True)
class GuidedPath:
    """A trace lifted into the base frame: surface points, and what the gripper does there."""

    points_in_base_m: FloatArray  # (n, 3)
    events: dict[int, GripperEvent]
    yaw_rad: FloatArray  # (n,) of the gripper about base z, 0 = fingers along base y


def is_push(events: dict[int, GripperEvent], count: int) -> bool:
    """Whether a path of ``count`` points closes the gripper, never opens it, and then goes on."""
    kinds = set(events.values())
    return kinds == {GripperEvent.CLOSE} and count - 1 not in events


# --------------------------------------------------------------------------------- arm and motion


@dataclass(frozen=True)
class ArmState:
    """What the arm reported, and the forward kinematics of it."""

    joint_positions_rad: FloatArray  # (dof,), in the order of the arm profile
    joint_velocities_rad_s: FloatArray  # (dof,)
    pose_gripper_in_base: Pose
    gripper_opening: float
    stamp_ns: int


@dataclass(frozen=True)
class MotionLimits:
    """The envelope of the tool centre point. Defaults: WidowX 250 S, ``lab`` (docs/safety.md)."""

    speed_m_s: float = 0.15
    angular_speed_rad_s: float = 0.8
    acceleration_m_s2: float = 1.0
    angular_acceleration_rad_s2: float = 4.0
    jerk_m_s3: float = 15.0
    angular_jerk_rad_s3: float = 60.0
    brake_m_s2: float = 2.0
    brake_jerk_m_s3: float = 60.0
    step_m: float = 0.05  # one delta; longer ones are shortened, over 3 times this refused
    step_rad: float = 0.25
    blind_travel_m: float = 0.05  # on one picture: speed <= blind_travel / age of the picture
    box_min_m: tuple[float, float, float] = (0.12, -0.20, 0.02)
    box_max_m: tuple[float, float, float] = (0.45, 0.20, 0.30)
    cone_rad: float = 1.0472  # tool axis away from straight down
    gripper_speed_per_s: float = 3.0  # openings per second


@dataclass(frozen=True)
class MotionCommand:
    """What one control tick sends to the arm, and why it is what it is."""

    twist: Twist
    gripper_opening: float
    target_gripper_in_base: Pose  # where the smoothed motion is now
    clipped: tuple[str, ...] = ()  # names of the limits that changed the wish
    observation_age_s: float | None = None  # age of the picture that caused this command


@dataclass(frozen=True)
class Observation:
    """What a policy may look at: one picture, the arm at that moment, and depth on request."""

    image: CameraImage
    arm: ArmState
    camera: CameraModel
    read_depth: Callable[[], DepthImage]  # a call, since depth costs time and most steps need none
