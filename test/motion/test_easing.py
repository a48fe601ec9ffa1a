"""Whatever a twist is to become: speed, acceleration and jerk hold, and it becomes that soon."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.data_types import MotionLimits, Twist
from magma_ros.motion.easing import ease, easing_time_s, fading_per_s
from magma_ros.motion.norms import length

LIMITS = MotionLimits()
PERIOD_S = 0.02
SLACK = 1 + 1e-6


def random_twist(rng: np.random.Generator) -> Twist:
    linear, angular = rng.normal(size=3), rng.normal(size=3)
    return Twist(
        linear * rng.random() * LIMITS.speed_m_s / length(linear),
        angular * rng.random() * LIMITS.angular_speed_rad_s / length(angular),
    )


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 20))
def test_limits_hold_and_the_wish_is_reached(seed: int, ticks_per_wish: int) -> None:
    rng = np.random.default_rng(seed)
    twist, change, wish = Twist.zero(), Twist.zero(), Twist.zero()
    for tick in range(100):
        if tick % ticks_per_wish == 0 and tick < 60:
            wish = random_twist(rng)
        after, change_after = ease(wish, twist, change, LIMITS, PERIOD_S)
        for name, speed, brake, jerk in (
            ('linear_m_s', 0.15, 2.0, 60.0),
            ('angular_rad_s', 0.8, 8.0, 240.0),
        ):
            new, old = getattr(after, name), getattr(twist, name)
            assert length(new) <= speed * SLACK
            assert length(new - old) <= brake * PERIOD_S * SLACK
            if length(new) > length(old):
                assert length(new - old) <= brake / 2 * PERIOD_S * SLACK
            jerked = getattr(change_after, name) - getattr(change, name)
            # Speed and acceleration come first, where a wish turns round in every period.
            assert length(jerked) <= jerk * PERIOD_S * 1.1
        twist, change = after, change_after
    assert twist.linear_m_s is wish.linear_m_s
    assert twist.angular_rad_s is wish.angular_rad_s


def test_from_full_speed_to_rest() -> None:
    twist, change = Twist(np.array([0.15, 0.0, 0.0]), np.zeros(3)), Twist.zero()
    way_m, ticks = 0.0, 0
    while twist.linear_m_s.any():
        twist, change = ease(Twist.zero(), twist, change, LIMITS, PERIOD_S)
        way_m, ticks = way_m + twist.linear_m_s[0] * PERIOD_S, ticks + 1
    assert ticks * PERIOD_S <= 0.16
    assert way_m <= 0.15 * easing_time_s(LIMITS) + 0.15**2 / 4


@pytest.mark.parametrize(
    ('linear', 'angular', 'fading'),
    [(0.1, 0.0, 20.0), (0.0, 0.8, 10.0), (0.1, 0.8, 10.0), (0.1, 0.2, 20.0)],
)
def test_the_slower_half_says_how_soon_a_twist_fades(
    linear: float, angular: float, fading: float
) -> None:
    twist = Twist(np.array([linear, 0.0, 0.0]), np.array([0.0, angular, 0.0]))
    assert fading_per_s(twist, LIMITS) == pytest.approx(fading)
