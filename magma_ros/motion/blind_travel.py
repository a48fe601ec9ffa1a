"""How far the arm may go on one picture, whatever fails: one bound for slow, stale and stuck.

Speed also falls with the age of the picture (``tracking.speed_share``); this is the hard end.
"""

from __future__ import annotations

from dataclasses import dataclass

from magma_ros.data_types import MotionLimits, Twist
from magma_ros.motion.limits import RESPONSE_S
from magma_ros.motion.norms import length, shorten
from magma_ros.motion.workspace import angular_brake, approach_speed


@dataclass(frozen=True)
class BlindTravel:
    """The way commanded since this picture became the newest."""

    image_stamp_ns: int | None = None
    travelled_m: float = 0.0
    turned_rad: float = 0.0

    def on_picture(self, image_stamp_ns: int | None) -> BlindTravel:
        """Counts anew with each picture."""
        return self if image_stamp_ns == self.image_stamp_ns else BlindTravel(image_stamp_ns)

    def after(self, twist: Twist, period_s: float) -> BlindTravel:
        """One period of a twist later."""
        return BlindTravel(
            self.image_stamp_ns,
            self.travelled_m + length(twist.linear_m_s) * period_s,
            self.turned_rad + length(twist.angular_rad_s) * period_s,
        )


def keep_blind_travel(
    wish: Twist, travel: BlindTravel, limits: MotionLimits, response_s: float = RESPONSE_S
) -> tuple[Twist, tuple[str, ...]]:
    """No faster than one can stop within what is left; ``blind_travel`` if that clipped.

    The halves that are not clipped are the same objects as in ``wish``. Motion that no picture
    caused, such as braking, is not bounded.
    """
    if travel.image_stamp_ns is None:
        return wish, ()
    left_m = limits.blind_travel_m - travel.travelled_m
    left_rad = limits.step_rad - travel.turned_rad
    linear = shorten(wish.linear_m_s, approach_speed(left_m, limits.brake_m_s2, response_s))
    angular = shorten(
        wish.angular_rad_s, approach_speed(left_rad, angular_brake(limits), response_s)
    )
    is_same = linear is wish.linear_m_s and angular is wish.angular_rad_s
    return Twist(linear, angular), () if is_same else ('blind_travel',)
