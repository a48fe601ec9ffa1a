"""What a twist asks of the joints, and how much of it they may give.

Our own guard in front of Servo's: joint speed, the ends of each joint by the same law as the walls
of the box, and singular poses. It only ever shortens the twist as a whole, so its direction stays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from magma_ros.data_types import FloatArray, Twist
from magma_ros.motion.limits import RESPONSE_S
from magma_ros.motion.verifier import JointThen
from magma_ros.motion.workspace import approach_speed

LEAVING_SHARE = 0.25  # away from a singular pose, however near it is
AHEAD_RAD = 0.01  # how far along a motion its condition number is looked up
FURTHEST_AHEAD_RAD = 0.1  # further ahead the Jacobian says nothing of this motion
SMALLEST_VALUE = 1e-4  # singular value of a Jacobian
# The halves of a twist are eased each for itself, so a joint slows down less evenly than the tool.
SPEED_SHARE = 0.97  # of a joint's speed
FADING_SHARE = 0.5  # of the braking that the tool may do
ROOM_RAD = 0.03  # in front of the margin, which the verifier insists on
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
    fastest_rad_s: FloatArray  # from here to there, and of the twist that is coming; >= 0


@dataclass(frozen=True)
class JointGuard:
    """A chain and its limits."""

    model: JointModel
    limits: JointLimits

    def motion(
        self,
        positions_rad: FloatArray,
        twist: Twist,
        ahead_s: float = RESPONSE_S,
        coming: Twist | None = None,
    ) -> JointMotion:
        """Joint speeds of a twist, now and so much later, and condition numbers.

        ``coming``: what the twist is turning into: near a singular pose a joint gets faster
        sooner than the tool can be slowed down.
        """
        condition, speeds = self._speeds(positions_rad, twist)
        fastest = max(float(np.abs(speeds).max()), SLOWEST_RAD_S)
        ahead_rad = max(AHEAD_RAD, min(ahead_s * fastest, FURTHEST_AHEAD_RAD))
        ahead = positions_rad + ahead_rad * speeds / fastest
        condition_ahead, speeds_ahead = self._speeds(ahead, twist)
        fastest_rad_s = np.maximum(np.abs(speeds), np.abs(speeds_ahead))
        if coming is not None:
            _, speeds_coming = self._speeds(positions_rad, coming)
            fastest_rad_s = np.maximum(fastest_rad_s, np.abs(speeds_coming))
        return JointMotion(positions_rad, speeds, condition, condition_ahead, fastest_rad_s)

    def _speeds(self, positions_rad: FloatArray, twist: Twist) -> tuple[float, FloatArray]:
        """Condition number, and joint speeds by the pseudo-inverse."""
        wish = np.concatenate([twist.linear_m_s, twist.angular_rad_s])
        left, values, right = np.linalg.svd(
            self.model.jacobian(positions_rad), full_matrices=False
        )
        values = np.maximum(values, SMALLEST_VALUE)
        return float(values[0] / values[-1]), (wish @ left / values) @ right

    def spare(
        self,
        positions_rad: FloatArray,
        wish: Twist,
        response_s: float = RESPONSE_S,
        fading_per_s: float = math.inf,
        coming: Twist | None = None,
    ) -> tuple[Twist, tuple[str, ...]]:
        """The wish, shortened to what the joints may do, and the names of what shortened it.

        ``fading_per_s``: by what share of itself the wish can be slowed down within a second.
        ``coming``: what the wish is turning into.
        """
        if not (wish.linear_m_s.any() or wish.angular_rad_s.any()):
            return wish, ()
        motion = self.motion(positions_rad, wish, response_s, coming)
        share, names = joint_share(motion, self.limits, response_s, fading_per_s)
        if share >= 1.0:
            return wish, ()
        return Twist(share * wish.linear_m_s, share * wish.angular_rad_s), names

    def then(self, positions_rad: FloatArray, sent: Twist) -> tuple[JointThen, ...]:
        """What a command asks of each joint, for the verifier."""
        if not (sent.linear_m_s.any() or sent.angular_rad_s.any()):
            return ()
        limits, (_, speeds_rad_s) = self.limits, self._speeds(positions_rad, sent)
        numbers = zip(
            positions_rad.tolist(),
            speeds_rad_s.tolist(),
            (limits.lower_rad + limits.margin_rad).tolist(),
            (limits.upper_rad - limits.margin_rad).tolist(),
            limits.speed_rad_s.tolist(),
            strict=True,
        )
        return tuple(JointThen(*one) for one in numbers)


def joint_share(
    motion: JointMotion,
    limits: JointLimits,
    response_s: float = RESPONSE_S,
    fading_per_s: float = math.inf,
) -> tuple[float, tuple[str, ...]]:
    """Share (0..1) of a motion that is allowed; ``joint_speed``, ``joint_limit``, ``singular``."""
    shares = {'singular': _singular_share(motion, limits)}
    speeds = np.maximum(np.abs(motion.speeds_rad_s), SLOWEST_RAD_S)
    fastest = np.maximum(motion.fastest_rad_s, SLOWEST_RAD_S)
    shares['joint_speed'] = SPEED_SHARE * float((limits.speed_rad_s / fastest).min())
    goes_up = motion.speeds_rad_s > 0
    up_rad = limits.upper_rad - motion.positions_rad
    down_rad = motion.positions_rad - limits.lower_rad
    left_rad = np.where(goes_up, up_rad, down_rad) - limits.margin_rad - ROOM_RAD
    brakes = np.minimum(limits.brake_rad_s2, FADING_SHARE * fading_per_s * speeds)
    room = zip(left_rad.tolist(), brakes.tolist(), strict=True)
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
