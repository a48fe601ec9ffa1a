"""What is wrong with joint states before anything has moved: names, units, limits."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from magma_ros.data_types import FloatArray
from magma_ros.motion.commissioning.gripper_diagnosis import TRAVEL_UNITS
from magma_ros.motion.commissioning.records import Kind, Mismatch

BEYOND_RAD = 0.05  # past the end of a joint no encoder reads
FINGER_SHARE = 0.5  # of the travel; fingers are calibrated badly, but not in another unit


@dataclass(frozen=True)
class JointManifest:
    """What the arm profile says of joints; arrays are (dof,)."""

    names: tuple[str, ...]
    lower_rad: FloatArray
    upper_rad: FloatArray
    gripper_joint: str
    finger_closed_m: float
    finger_open_m: float


def check_joint_report(
    positions: Mapping[str, float], manifest: JointManifest
) -> tuple[Mismatch, ...]:
    """Everything that joint states by name show at rest."""
    wanted = (*manifest.names, manifest.gripper_joint)
    missing = [name for name in wanted if name not in positions]
    if missing:
        return (_missing(missing, wanted, positions),)
    joints = np.array([positions[name] for name in manifest.names])
    return (*_ranges(joints, manifest), *_finger(positions[manifest.gripper_joint], manifest))


def _missing(
    missing: Collection[str], wanted: Collection[str], positions: Collection[str]
) -> Mismatch:
    text = f'joint_states lack {list(missing)}; they have {sorted(positions)}. '
    if len(missing) == len(wanted):
        return Mismatch(
            Kind.OTHER_ARM,
            f'{text}They are those of another arm: choose its profile, or remap joint_states',
        )
    return Mismatch(
        Kind.MISSING_JOINT,
        f'{text}Is a motor unplugged, or the gripper published on a topic of its own?',
    )


def _ranges(joints: FloatArray, manifest: JointManifest) -> tuple[Mismatch, ...]:
    if not np.isfinite(joints).all():
        return (Mismatch(Kind.JOINT_RANGE, 'joint_states are not finite; look at the driver'),)
    if _fits(joints, manifest).all():
        return ()
    if _fits(np.radians(joints), manifest).all():
        return (
            Mismatch(
                Kind.JOINT_UNIT,
                f'joint_states {joints.round(2).tolist()} look like degrees; ROS wants radians: '
                'set the unit in the driver',
            ),
        )
    outside = [
        f'{name} {position:.3f} ({low:.3f} to {high:.3f})'
        for name, position, low, high, fits in zip(
            manifest.names,
            joints.tolist(),
            manifest.lower_rad.tolist(),
            manifest.upper_rad.tolist(),
            _fits(joints, manifest).tolist(),
            strict=True,
        )
        if not fits
    ]
    return (
        Mismatch(
            Kind.JOINT_RANGE,
            f'outside of the joint limits: {"; ".join(outside)}. Are the names in the order of '
            'the positions, and the joints calibrated?',
        ),
    )


def _fits(joints: FloatArray, manifest: JointManifest) -> np.ndarray:
    above = joints >= manifest.lower_rad - BEYOND_RAD
    return above & (joints <= manifest.upper_rad + BEYOND_RAD)


def _finger(finger_m: float, manifest: JointManifest) -> tuple[Mismatch, ...]:
    ends = sorted((manifest.finger_closed_m, manifest.finger_open_m))
    slack = FINGER_SHARE * (ends[1] - ends[0])

    def fits(factor: float) -> bool:
        return ends[0] - slack <= finger_m / factor <= ends[1] + slack

    if math.isfinite(finger_m) and fits(1.0):
        return ()
    units = [unit for unit, factor in TRAVEL_UNITS.items() if fits(factor)]
    guess = f'It could be in {" or ".join(units)}: the' if units else 'The'
    return (
        Mismatch(
            Kind.GRIPPER_UNIT,
            f'{manifest.gripper_joint} reads {finger_m:.4f}; the profile has {ends} m. {guess} '
            'driver must publish the position of one finger in m',
        ),
    )
