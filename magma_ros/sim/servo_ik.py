"""The inverse kinematics Servo uses: MoveIt's KDL plugin, from the joints to a pose nearby.

Newton steps with a pseudo-inverse until the pose is met to EPSILON. Two of its habits show in
Servo: a step below EPSILON is no step at all (commands below about 1 mm/s at 100 Hz do not move
the arm), and near a singularity the step is shortened until it helps. Its random restarts are left
out. Source: moveit_kinematics/kdl_kinematics_plugin 2.12.
"""

from __future__ import annotations

import numpy as np
import pinocchio

from magma_ros.data_types import FloatArray
from magma_ros.robot.kinematics import Kinematics
from magma_ros.sim.servo_records import JointLimits

EPSILON = 1e-5  # m, rad
WEAKEST = 1e-3  # smaller singular values, as shares of the largest, count as 0
BOUND_WEIGHT = 0.01  # of a joint that has hit its bound
ITERATIONS = 500


def joints_near(
    kinematics: Kinematics, limits: JointLimits, start_rad: FloatArray, goal: FloatArray
) -> FloatArray:
    """Joint positions (dof,) for the pose ``goal`` (4, 4) of the tip, or the nearest found."""
    joints, best = start_rad.copy(), start_rad
    step, weights = np.zeros_like(start_rad), np.ones_like(start_rad)
    last_error, share = np.inf, 1.0
    for _ in range(ITERATIONS):
        twist = _difference(kinematics.matrix(joints), goal)
        error = max(float(np.linalg.norm(twist[:3])), float(np.linalg.norm(twist[3:])))
        if error <= EPSILON:
            return joints
        if error >= last_error:
            shorter = min(0.2, last_error / error)
            step, share, joints = step * shorter, share * shorter, best
        else:
            best, share, last_error = joints, 1.0, error
            jacobian = kinematics.jacobian(joints) * weights
            step = weights * np.linalg.lstsq(jacobian, twist, rcond=WEAKEST)[0]
        clipped = np.clip(step, limits.lower_rad - joints, limits.upper_rad - joints)
        weights = np.where(clipped == step, 1.0, BOUND_WEIGHT)
        step = clipped
        if np.abs(step).sum() < EPSILON:
            break
        joints = joints + step
    return best


def _difference(now: FloatArray, goal: FloatArray) -> FloatArray:
    """Translation and rotation vector (6,) in base axes from one pose to another."""
    turn = pinocchio.log3(goal[:3, :3] @ now[:3, :3].T)
    return np.concatenate([goal[:3, 3] - now[:3, 3], turn])
