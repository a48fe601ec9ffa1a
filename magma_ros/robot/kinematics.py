"""Forward and differential kinematics of one arm, from its URDF, by Pinocchio."""

from __future__ import annotations

import numpy as np
import pinocchio
from scipy.spatial.transform import Rotation

from magma_ros.data_types import FloatArray, Pose
from magma_ros.errors import ConfigurationError
from magma_ros.rotations import make_pose, quaternion_from_matrix, rotation_of


class Kinematics:
    """The chain from the base link to the tool centre point of an arm.

    Args:
        urdf: URDF text.
        joint_names: arm joints in command order, shape (dof,); all others are fixed at their
            neutral position.
        tip_link: the tool centre point.
        tool: from the axes of the tip link to those of our tools: x approaches, y is where the
            fingers open to. The point stays.

    Raises:
        ConfigurationError: a joint or link is not in the URDF (the message lists those that are).
    """

    def __init__(
        self,
        urdf: str,
        joint_names: tuple[str, ...],
        tip_link: str,
        tool: Rotation | None = None,
    ) -> None:
        whole = pinocchio.buildModelFromXML(urdf)
        unknown = [name for name in joint_names if not whole.existJointName(name)]
        if unknown:
            raise ConfigurationError(
                f'joints {unknown} are not in the URDF; it has {list(whole.names)[1:]}'
            )
        if not whole.existFrame(tip_link):
            links = [
                frame.name for frame in whole.frames if frame.type == pinocchio.FrameType.BODY
            ]
            raise ConfigurationError(f'link "{tip_link}" is not in the URDF; it has {links}')
        others = [whole.getJointId(n) for n in whole.names[1:] if n not in joint_names]
        self._model = pinocchio.buildReducedModel(whole, others, pinocchio.neutral(whole))
        if tuple(self._model.names)[1:] != tuple(joint_names):
            raise ConfigurationError(
                f'joint order {joint_names} differs from the chain {tuple(self._model.names)[1:]}'
            )
        self._tip = self._add_tool(tip_link, tool or Rotation.identity())
        self._data = self._model.createData()
        self.joint_names = tuple(joint_names)
        self.lower_rad: FloatArray = self._model.lowerPositionLimit.copy()  # (dof,)
        self.upper_rad: FloatArray = self._model.upperPositionLimit.copy()  # (dof,)
        self.velocity_rad_s: FloatArray = self._model.velocityLimit.copy()  # (dof,)

    def _add_tool(self, tip_link: str, tool: Rotation) -> int:
        tip = self._model.frames[self._model.getFrameId(tip_link)]
        placement = tip.placement * pinocchio.SE3(tool.as_matrix(), np.zeros(3))
        frame = pinocchio.Frame('tool', tip.parentJoint, placement, pinocchio.FrameType.OP_FRAME)
        return self._model.addFrame(frame)

    def forward(self, joints_rad: FloatArray) -> Pose:
        """Pose of the tool centre point in the base frame."""
        matrix = self.matrix(joints_rad)
        return Pose(matrix[:3, 3].copy(), quaternion_from_matrix(matrix[:3, :3]))

    def matrix(self, joints_rad: FloatArray, link: str | None = None) -> FloatArray:
        """Homogeneous matrix (4, 4) of the tool centre point, or of another link, in the base.

        Raises:
            ConfigurationError: there is no such link.
        """
        if link is not None and not self._model.existFrame(link):
            raise ConfigurationError(f'link "{link}" is not in the URDF')
        frame = self._tip if link is None else self._model.getFrameId(link)
        pinocchio.framesForwardKinematics(self._model, self._data, joints_rad)
        return self._data.oMf[frame].homogeneous.copy()

    def jacobian(self, joints_rad: FloatArray) -> FloatArray:
        """Geometric Jacobian (6, dof) in base axes at the tool point, linear rows first."""
        return pinocchio.computeFrameJacobian(
            self._model, self._data, joints_rad, self._tip, pinocchio.LOCAL_WORLD_ALIGNED
        )

    def condition(self, joints_rad: FloatArray) -> float:
        """Largest over smallest singular value of the Jacobian: what MoveIt Servo thresholds."""
        values = np.linalg.svd(self.jacobian(joints_rad), compute_uv=False)
        return float(values[0] / max(values[-1], 1e-12))

    def inverse(
        self, goal: Pose, start_rad: FloatArray, iterations: int = 200, tolerance: float = 1e-4
    ) -> FloatArray | None:
        """Joint positions (dof,) that reach ``goal``, by damped least squares from ``start_rad``.

        Returns None when the goal is not reached to ``tolerance`` (m and rad) inside the joint
        limits.
        """
        joints = np.array(start_rad, dtype=float)
        goal_rotation = rotation_of(goal)
        for _ in range(iterations):
            error = pose_error(self.forward(joints), goal, goal_rotation)
            if np.abs(error).max() < tolerance:
                return joints
            jacobian = self.jacobian(joints)
            step = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + 1e-5 * np.eye(6), error)
            joints = np.clip(joints + np.clip(step, -0.3, 0.3), self.lower_rad, self.upper_rad)
        return None


def pose_error(now: Pose, goal: Pose, goal_rotation: Rotation | None = None) -> FloatArray:
    """(6,) translation and rotation vector, base axes, that turn ``now`` into ``goal``."""
    turn = (goal_rotation or rotation_of(goal)) * rotation_of(now).inv()
    return np.concatenate([goal.translation_m - now.translation_m, turn.as_rotvec()])


def shifted(pose: Pose, translation_m: FloatArray) -> Pose:
    """The same orientation, moved by ``translation_m`` in base axes."""
    return make_pose(pose.translation_m + translation_m, rotation_of(pose))
