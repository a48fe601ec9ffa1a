"""An arm of arithmetic: its tool does exactly what a twist says, as far as its joints can."""

from __future__ import annotations

import numpy as np

from magma_ros.data_types import ArmState, FloatArray, Twist
from magma_ros.robot.kinematics import Kinematics
from magma_ros.rotations import pose_from_matrix

ROUNDS = 3  # of Newton's method with one Jacobian; then the tool is right to a nanometre


class ExactArm:
    """Joints that follow at once. Nothing here limits anything: that is what is being tried out.

    Args:
        kinematics: of the arm.
        joints_rad: where it begins, (dof,).
    """

    def __init__(self, kinematics: Kinematics, joints_rad: FloatArray) -> None:
        self._kinematics = kinematics
        self.joints_rad = joints_rad
        self.tool = kinematics.matrix(joints_rad)  # (4, 4), tool in base

    def state(self, stamp_ns: int) -> ArmState:
        """What the arm reports."""
        still = np.zeros_like(self.joints_rad)
        return ArmState(self.joints_rad, still, pose_from_matrix(self.tool), 1.0, stamp_ns)

    def move(self, twist: Twist, period_s: float) -> None:
        """Go on by one period of a twist, along the shortest way of the joints."""
        if not (twist.linear_m_s.any() or twist.angular_rad_s.any()):
            return
        goal_m = self.tool[:3, 3] + twist.linear_m_s * period_s
        goal_rotation = turn_matrix(twist.angular_rad_s * period_s) @ self.tool[:3, :3]
        jacobian = self._kinematics.jacobian(self.joints_rad)
        inverse = jacobian.T @ np.linalg.inv(jacobian @ jacobian.T)
        joints, tool = self.joints_rad, self.tool
        for _ in range(ROUNDS):
            turn = goal_rotation @ tool[:3, :3].T
            rest = np.array(
                [
                    *(goal_m - tool[:3, 3]),
                    (turn[2, 1] - turn[1, 2]) / 2,
                    (turn[0, 2] - turn[2, 0]) / 2,
                    (turn[1, 0] - turn[0, 1]) / 2,
                ]
            )
            joints = joints + inverse @ rest
            tool = self._kinematics.matrix(joints)
        self.joints_rad, self.tool = joints, tool


def turn_matrix(rotation_vector_rad: FloatArray) -> FloatArray:
    """Matrix of a rotation vector (3, 3), by Rodrigues."""
    x, y, z = rotation_vector_rad.tolist()
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    angle = float(np.sqrt(rotation_vector_rad @ rotation_vector_rad))
    if angle < 1e-9:
        return np.eye(3) + cross
    share = np.sin(angle) / angle
    return np.eye(3) + share * cross + (1 - np.cos(angle)) / angle**2 * (cross @ cross)
