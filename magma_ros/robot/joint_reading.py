"""Joint states -> what the arm does; the same for what is live and for what is recorded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import ArmState, FloatArray, Pose
from magma_ros.errors import ArmError
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.kinematics import Kinematics

HISTORY_S = 1.0  # of joint states that is kept for pictures that come late
JOINTS_OFF_S = 0.1  # the nearest joint state may be this far from the picture's stamp

Numbers = Sequence[float] | NDArray[np.float64]


def pick_joints(
    names: Sequence[str], positions: Numbers, velocities: Numbers, joint_names: Sequence[str]
) -> tuple[FloatArray, FloatArray]:
    """Positions and velocities in the order of ``joint_names``; velocities NaN if not reported.

    Raises:
        ArmError: a joint is missing, or names and positions differ in number.
    """
    index = {name: place for place, name in enumerate(names)}
    missing = [name for name in joint_names if name not in index]
    if len(index) != len(names):
        raise ArmError(f'joint_states name a joint twice: {list(names)}; see the driver')
    if missing or len(positions) != len(names):
        raise ArmError(
            f'joint_states with {len(positions)} positions of {list(names)} lack '
            f'{missing or "positions"}; choose the arm profile of this arm'
        )
    places = [index[name] for name in joint_names]
    chosen = np.array(positions)[places]
    if len(velocities) != len(names):
        return chosen, np.full(len(places), np.nan)
    return chosen, np.array(velocities)[places]


def read_arm_state(
    names: Sequence[str],
    positions: Numbers,
    velocities: Numbers,
    stamp_ns: int,
    profile: ArmProfile,
    kinematics: Kinematics,
) -> ArmState:
    """What the arm reported, and its forward kinematics; not finite joints give a NaN pose.

    Raises:
        ArmError: a joint of the profile is missing.
    """
    joints, speeds = pick_joints(names, positions, velocities, profile.joint_names)
    fingers, _ = pick_joints(names, positions, velocities, (profile.gripper_joint,))
    is_finite = bool(np.isfinite(joints).all())
    pose = (
        kinematics.forward(joints) if is_finite else Pose(np.full(3, np.nan), np.full(4, np.nan))
    )
    opening = opening_from_finger(float(fingers[0]), profile)
    return ArmState(joints, speeds, pose, opening, stamp_ns)


def nearest_stamp(stamps_ns: Sequence[int], stamp_ns: int) -> int:
    """Index of the stamp that is nearest to a picture's.

    Raises:
        ArmError: there is none, or none within JOINTS_OFF_S.
    """
    if not stamps_ns:
        raise ArmError('JOINTS_STALE: no joint states; start the driver of the arm')
    nearest = int(np.abs(np.array(stamps_ns, np.int64) - stamp_ns).argmin())
    off_s = abs(stamps_ns[nearest] - stamp_ns) * 1e-9
    if off_s > JOINTS_OFF_S:
        raise ArmError(
            f'JOINTS_STALE: the nearest joint state is {off_s:.2f} s away from the picture; '
            'look at the driver of the arm and at the clocks'
        )
    return nearest


def opening_from_finger(finger_m: float, profile: ArmProfile) -> float:
    """Position of the gripper joint -> opening, 0..1 within its travel."""
    return (finger_m - profile.finger_closed_m) / (profile.finger_open_m - profile.finger_closed_m)
