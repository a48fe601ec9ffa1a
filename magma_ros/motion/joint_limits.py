"""What a twist asks of the joints, and how much of it they may give.

Our own guard in front of Servo's: joint speed, the ends of each joint by the same law as the walls
of the box, and singular poses. It only ever shortens the twist as a whole, so its direction stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from magma_ros.data_types import FloatArray, Twist
from magma_ros.motion.limits import RESPONSE_S
from magma_ros.motion.verifier import JointThen
from magma_ros.motion.workspace import approach_speed

LEAVING_SHARE = 0.25  # away from a singular pose, however near it is
AHEAD_RAD = 0.01  # how far along a motion its condition number is looked up
DAMPING = 1e-5
SLOWEST_RAD_S = 1e-6  # slower joints are at rest


class JointModel(Protocol):
    """The two numbers that are needed of a kinematic chain; joints are (dof,) in rad."""

    def jacobian(self, joints_rad: FloatArray) -> FloatArray:
        """(6, dof) in base axes at the tool point, linear rows first."""

    def condition(self, joints_rad: FloatArray) -> float:
        """Largest over smallest singular value of the Jacobian."""


@dataclass(frozen=True)
class JointLimits:
    """Of the arm; (dof,) each."""

    lower_rad: FloatArray
    upper_rad: FloatArray
    speed_rad_s: FloatArray
    margin_rad: float  # kept from the ends
    brake_rad_s2: FloatArray  # with which a joint comes to rest in front of its margin
    condition_slow: float  # condition numbers of the Jacobian
    condition_stop: float


@dataclass(frozen=True)
class JointMotion:
    """What a twist means for the joints at this moment."""

    positions_rad: FloatArray
    speeds_rad_s: FloatArray
    condition: float
    condition_ahead: float  # a little further along this motion


@dataclass(frozen=True)
class JointGuard:
    """A chain and its limits."""

    model: JointModel
    limits: JointLimits

    def motion(self, positions_rad: FloatArray, twist: Twist) -> JointMotion:
        """Joint speeds (damped least squares) and condition numbers of a twist."""
        jacobian = self.model.jacobian(positions_rad)
        wish = np.concatenate([twist.linear_m_s, twist.angular_rad_s])
        square = jacobian @ jacobian.T + DAMPING * np.eye(6)
        speeds = jacobian.T @ np.linalg.solve(square, wish)
        fastest = max(float(np.abs(speeds).max()), SLOWEST_RAD_S)
        ahead = positions_rad + AHEAD_RAD * speeds / fastest
        condition = self.model.condition(positions_rad)
        return JointMotion(positions_rad, speeds, condition, self.model.condition(ahead))

    def spare(
        self, positions_rad: FloatArray, wish: Twist, response_s: float = RESPONSE_S
    ) -> tuple[Twist, tuple[str, ...]]:
        """The wish, shortened to what the joints may do, and the names of what shortened it."""
        if not (wish.linear_m_s.any() or wish.angular_rad_s.any()):
            return wish, ()
        share, names = joint_share(self.motion(positions_rad, wish), self.limits, response_s)
        if share >= 1.0:
            return wish, ()
        return Twist(share * wish.linear_m_s, share * wish.angular_rad_s), names

    def then(self, positions_rad: FloatArray, sent: Twist) -> tuple[JointThen, ...]:
        """What a command asks of each joint, for the verifier."""
        if not (sent.linear_m_s.any() or sent.angular_rad_s.any()):
            return ()
        limits, motion = self.limits, self.motion(positions_rad, sent)
        numbers = zip(
            positions_rad.tolist(),
            motion.speeds_rad_s.tolist(),
            (limits.lower_rad + limits.margin_rad).tolist(),
            (limits.upper_rad - limits.margin_rad).tolist(),
            limits.speed_rad_s.tolist(),
            strict=True,
        )
        return tuple(JointThen(*one) for one in numbers)


def joint_share(
    motion: JointMotion, limits: JointLimits, response_s: float = RESPONSE_S
) -> tuple[float, tuple[str, ...]]:
    """Share (0..1) of a motion that is allowed; ``joint_speed``, ``joint_limit``, ``singular``."""
    shares = {'singular': _singular_share(motion, limits)}
    speeds = np.maximum(np.abs(motion.speeds_rad_s), SLOWEST_RAD_S)
    shares['joint_speed'] = float((limits.speed_rad_s / speeds).min())
    goes_up = motion.speeds_rad_s > 0
    up_rad = limits.upper_rad - motion.positions_rad
    down_rad = motion.positions_rad - limits.lower_rad
    left_rad = np.where(goes_up, up_rad, down_rad) - limits.margin_rad
    room = zip(left_rad.tolist(), limits.brake_rad_s2.tolist(), strict=True)
    allowed = [approach_speed(left, brake, response_s) for left, brake in room]
    moves = np.abs(motion.speeds_rad_s) > SLOWEST_RAD_S
    ends = np.array(allowed) / speeds
    shares['joint_limit'] = float(ends[moves].min()) if moves.any() else 1.0
    return min(1.0, *shares.values()), tuple(name for name, s in shares.items() if s < 1.0)


def _singular_share(motion: JointMotion, limits: JointLimits) -> float:
    """1 up to ``condition_slow``, 0 from ``condition_stop`` on; leaving is always possible."""
    slow, stop = limits.condition_slow, limits.condition_stop
    share = min(1.0, max(0.0, (stop - motion.condition) / (stop - slow)))
    is_leaving = motion.condition_ahead < motion.condition
    return max(share, LEAVING_SHARE) if is_leaving else share
