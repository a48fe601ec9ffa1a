"""What every planned trajectory must be before it is executed.

It starts where the arm is, keeps to the profile's joints, speeds and accelerations, ends at rest,
and on all of its way the verifier agrees: box, cone, speed of the tool. Too fast ones are
stretched in time rather than refused: MoveIt takes a scaling of 0 for 1.0, and Humble's Cartesian
paths know no scaling at all.
"""

from __future__ import annotations

import math

import numpy as np
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from magma_ros.data_types import FloatArray
from magma_ros.errors import ArmError
from magma_ros.motion.joint_path import JointPath, PathRange, find_path_violation, slowed_down
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.ros.arm_messages import trajectory_columns
from magma_ros.ros.time_stamps import duration_from_s, duration_to_s

START_RAD = 0.05  # move_group's allowed_start_tolerance for the WidowX
HERE_RAD = 1e-3  # one command may do that at once
REST_RAD_S = 1e-3
LIMIT_RAD = 1e-3
JUMP_RAD = 0.6  # between neighbouring points, 0.1 s or 5 mm apart; the fastest joint does 0.53


def make_executable(
    trajectory: JointTrajectory, profile: ArmProfile, measured_rad: FloatArray
) -> JointTrajectory:
    """A trajectory within the profile that ends at rest; its stamp is 0, which means now.

    It has no accelerations: with them the controller would play quintics, not the cubics that
    are looked at here.

    Args:
        trajectory: of a planner, two points or more.
        profile: joints, limits, speeds and accelerations.
        measured_rad: (dof,) where the arm is now.

    Raises:
        ArmError: other joints, not finite, backwards in time, beyond a joint limit, jumping,
            starting elsewhere, ending in motion, or leaving box or cone anywhere; the message
            says which.
    """
    columns = trajectory_columns(trajectory, profile.joint_names)
    if not all(len(point.positions) == len(columns) for point in trajectory.points):
        raise ArmError('a point of the planned trajectory lacks positions: plan again')
    positions = np.array([point.positions for point in trajectory.points])[:, columns]
    times_s = np.array([duration_to_s(point.time_from_start) for point in trajectory.points])
    _check_path(positions, times_s, profile, measured_rad)
    speeds = _given(trajectory, 'velocities', columns)
    if speeds is None:
        speeds = np.gradient(positions, times_s, axis=0)
        speeds[[0, -1]] = 0.0
    _check_rest(speeds[-1])
    speeds[-1] = 0.0
    accelerations = _given(trajectory, 'accelerations', columns)
    path = JointPath(times_s, positions, speeds)
    path = path.slowed(_slowing(positions, times_s, speeds, accelerations, profile))
    path = _within_envelope(_from_here(path, measured_rad, profile), profile)
    return path_to_message(path, profile)


def path_to_message(path: JointPath, profile: ArmProfile) -> JointTrajectory:
    """A path as a trajectory that begins now, of positions and velocities."""
    rows = zip(path.times_s, path.positions_rad, path.speeds_rad_s, strict=True)
    points = [
        JointTrajectoryPoint(
            positions=positions.tolist(),
            velocities=speeds.tolist(),
            time_from_start=duration_from_s(float(time_s)),
        )
        for time_s, positions, speeds in rows
    ]
    return JointTrajectory(joint_names=list(profile.joint_names), points=points)


def duration_s(trajectory: JointTrajectory) -> float:
    """How long it takes; 0 without points."""
    return duration_to_s(trajectory.points[-1].time_from_start) if trajectory.points else 0.0


def _from_here(path: JointPath, measured_rad: FloatArray, profile: ArmProfile) -> JointPath:
    """With the way from where the arm is to the first point, unhurried from rest to rest."""
    away_rad = np.abs(path.positions_rad[0] - measured_rad)
    if float(away_rad.max()) <= HERE_RAD:
        return path
    # A cubic from rest to rest is at most 1.5 times as fast as its mean, and 6 x / t^2 strong.
    needed_s = max(
        float((1.5 * away_rad / np.array(profile.joint_speed_rad_s)).max()),
        math.sqrt(float((6.0 * away_rad / np.array(profile.joint_acceleration_rad_s2)).max())),
    )
    late_s = max(0.0, needed_s - float(path.times_s[0]))
    return JointPath(
        np.concatenate([[0.0], path.times_s + late_s]),
        np.vstack([measured_rad, path.positions_rad]),
        np.vstack([np.zeros_like(measured_rad), path.speeds_rad_s]),
    )


def _within_envelope(path: JointPath, profile: ArmProfile) -> JointPath:
    kinematics = profile.kinematics()
    reach = PathRange(
        kinematics.lower_rad + profile.joint_margin_rad,
        kinematics.upper_rad - profile.joint_margin_rad,
        np.array(profile.joint_speed_rad_s),
    )
    path = slowed_down(path, kinematics, reach, profile.limits)
    violation = find_path_violation(path, kinematics, reach, profile.limits)
    if violation is not None:
        raise ArmError(
            f'on its way the planned trajectory breaks a rule of the envelope ({violation}): '
            'steer the arm to a place from which the way is free'
        )
    return path


def _given(trajectory: JointTrajectory, field: str, columns: list[int]) -> FloatArray | None:
    """Velocities or accelerations (n, dof), None unless every point has them."""
    rows = [list(getattr(point, field)) for point in trajectory.points]
    if not all(len(row) == len(columns) for row in rows):
        return None
    values = np.array(rows)[:, columns]
    if not np.isfinite(values).all():
        raise ArmError(f'the planned trajectory has {field} that are not finite: plan again')
    return values


def _check_path(
    positions: FloatArray, times_s: FloatArray, profile: ArmProfile, measured_rad: FloatArray
) -> None:
    if not np.isfinite(positions).all():
        raise ArmError('the planned trajectory has positions that are not finite: plan again')
    if not (np.diff(times_s) > 0).all():
        raise ArmError('the points of the planned trajectory are not in order of time: plan again')
    below = positions < np.array(profile.joint_lower_rad) - LIMIT_RAD
    above = positions > np.array(profile.joint_upper_rad) + LIMIT_RAD
    if (below | above).any():
        joint = profile.joint_names[int((below | above).any(axis=0).argmax())]
        raise ArmError(f'the planned trajectory leaves the limits of joint {joint}: see the URDF')
    away_rad = float(np.abs(positions[0] - measured_rad).max())
    if not away_rad <= START_RAD:
        raise ArmError(
            f'the planned trajectory starts {away_rad:.3f} rad from where the arm is (at most '
            f'{START_RAD}): the arm has moved since, plan again'
        )
    jump_rad = float(np.abs(np.diff(positions, axis=0)).max())
    if jump_rad > JUMP_RAD:
        raise ArmError(
            f'a joint of the planned trajectory jumps by {jump_rad:.2f} rad between two points '
            f'(at most {JUMP_RAD}): begin from another configuration of the arm'
        )


def _check_rest(last_rad_s: FloatArray) -> None:
    fastest = float(np.abs(last_rad_s).max())
    if fastest > REST_RAD_S:
        raise ArmError(
            f'the planned trajectory ends at {fastest:.3f} rad/s instead of at rest: a planner '
            'without time parameterisation? Look at response_adapters of the pipeline'
        )


def _slowing(
    positions: FloatArray,
    times_s: FloatArray,
    speeds: FloatArray,
    accelerations: FloatArray | None,
    profile: ArmProfile,
) -> float:
    """How many times slower it must be; 1 when nothing is too fast."""
    between = np.abs(np.diff(positions, axis=0)) / np.diff(times_s)[:, None]
    fastest = np.maximum(np.abs(speeds).max(axis=0), between.max(axis=0))
    factor = float((fastest / np.array(profile.joint_speed_rad_s)).max())
    if accelerations is not None:
        strongest = np.abs(accelerations).max(axis=0) / np.array(profile.joint_acceleration_rad_s2)
        factor = max(factor, math.sqrt(float(strongest.max())))
    return max(factor, 1.0)
