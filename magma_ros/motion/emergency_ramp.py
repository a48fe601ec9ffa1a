"""The way to rest when nothing else can be trusted: from the last twist sent, and that alone."""

from __future__ import annotations

import math

from magma_ros.data_types import MotionLimits, Twist
from magma_ros.motion.norms import length, shorten
from magma_ros.motion.workspace import angular_brake


def ramp_down(last: Twist, limits: MotionLimits, period_s: float) -> tuple[Twist, ...]:
    """Twists to send one period apart; straight, within the brake limits, and zero at the end.

    A last twist that is not finite was never sent by us and is left at once.
    """
    linear, angular = last.linear_m_s, last.angular_rad_s
    speed, turning = length(linear), length(angular)
    if not (math.isfinite(speed) and math.isfinite(turning)):
        return (Twist.zero(),)
    slower, turning_slower = limits.brake_m_s2 * period_s, angular_brake(limits) * period_s
    steps = math.ceil(max(speed / slower, turning / turning_slower))
    on_the_way = (
        Twist(
            shorten(linear, max(0.0, speed - k * slower)),
            shorten(angular, max(0.0, turning - k * turning_slower)),
        )
        for k in range(1, steps)
    )
    return (*on_the_way, Twist.zero())
