"""A kinematic arm with an ideal Servo, which may be wired up wrongly in every way we know."""

from dataclasses import dataclass, field

import numpy as np
from scipy.spatial.transform import Rotation

from magma_ros.motion.commissioning.records import Sample
from magma_ros.motion.joint_limits import JointGuard, JointLimits
from magma_ros.robot.arm_profile import load_arm_profile

PERIOD_S = 0.1  # coarse, so that tests are quick
FASTEST_RAD_S = 1.0  # of the motors


@dataclass
class Wiring:
    """What is between us and the arm. The defaults are right."""

    turn: np.ndarray = field(default_factory=lambda: np.eye(3))  # of the axes of a twist
    in_tool_axes: bool = False
    lever_m: tuple[float, float, float] = (0.0, 0.0, 0.0)  # from Servo's tip to ours, base axes
    scale: float = 1.0  # of motion
    report: np.ndarray | None = None  # (dof, dof) from true joints to joint_states
    stuck: tuple[int, ...] = ()
    torque: bool = True
    moves_other: bool = False
    is_heard: bool = True  # whether Servo's trajectories arrive on our topic
    drift_rad_s: float = 0.0
    noise_rad: float = 0.0


class MockArm:
    """Call :meth:`exchange` once a period, as with a real one."""

    def __init__(self, arm, wiring=None, start_rad=None):
        self.profile = load_arm_profile(arm)
        self.kinematics = self.profile.kinematics()
        self.wiring = wiring or Wiring()
        start = self.profile.start_joints_rad if start_rad is None else start_rad
        self._true = np.array(start, dtype=float)
        self._servo = None  # the joints it has commanded last
        self._other, self._time_s = 0.0, 0.0
        self._random = np.random.default_rng(1)
        self.fastest = 0.0  # twist that was sent
        limits = JointLimits(
            self.kinematics.lower_rad,
            self.kinematics.upper_rad,
            np.array(self.profile.joint_speed_rad_s),
            self.profile.joint_margin_rad,
            np.array(self.profile.joint_brake_rad_s2),
            self.profile.singularity_slow,
            self.profile.singularity_stop,
        )
        self.guard = JointGuard(self.kinematics, limits)

    def exchange(self, twist):
        if twist is not None:
            self.fastest = max(self.fastest, float(np.abs(twist.linear_m_s).max()))
            self._obey(twist)
        self._true = self._true + PERIOD_S * self.wiring.drift_rad_s
        self._time_s += PERIOD_S
        return self._sample()

    def start(self):
        """Where it is and how its tip link is turned, before anything is sent."""
        joints = self._sample().joints_rad
        tip = self.kinematics.matrix(joints, self.profile.tip_link)[:3, :3]
        return self.kinematics.forward(joints), tip

    def _obey(self, twist):
        """Servo goes on from its last command; the arm follows as fast as its motors can."""
        wiring = self.wiring
        if self._servo is None:
            self._servo = self._reported()
        wanted = self._understood(twist)
        jacobian = self.kinematics.jacobian(self._servo)
        step = PERIOD_S * np.linalg.pinv(jacobian) @ wanted
        most = PERIOD_S * FASTEST_RAD_S
        self._servo = self._servo + step / max(1.0, float(np.abs(step).max()) / most)
        if wiring.moves_other:
            self._other += PERIOD_S * float(np.abs(wanted).max())
        elif wiring.torque:
            step = np.clip(self._servo - self._true, -most, most)
            step[list(wiring.stuck)] = 0.0
            self._true = self._true + step

    def _understood(self, twist):
        wiring = self.wiring
        turn = wiring.turn
        if wiring.in_tool_axes:
            turn = self.kinematics.matrix(self._servo, self.profile.tip_link)[:3, :3]
        linear, angular = turn @ twist.linear_m_s, turn @ twist.angular_rad_s
        linear = linear + np.cross(angular, wiring.lever_m)
        return wiring.scale * np.concatenate([linear, angular])

    def _reported(self):
        report = self.wiring.report
        return self._true if report is None else report @ self._true

    def _sample(self):
        joints = self._reported()
        joints = joints + self._random.uniform(-1, 1, len(joints)) * self.wiring.noise_rad
        return Sample(
            self._time_s,
            joints,
            self.kinematics.forward(joints),
            self._servo if self.wiring.is_heard else None,
            {'other_arm/joint_1': self._other},
        )


def yaw(degrees):
    return Rotation.from_euler('z', degrees, degrees=True).as_matrix()


def exchanged(dof, one, other):
    """joint_states with two names exchanged."""
    matrix = np.eye(dof)
    matrix[[one, other]] = matrix[[other, one]]
    return matrix


def signed(dof, joint):
    """joint_states with the sign of one joint turned."""
    matrix = np.eye(dof)
    matrix[joint, joint] = -1.0
    return matrix
