"""Paths of the joints: from rest to rest within limits, and looked at on all of their way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.data_types import FloatArray, MotionLimits, Pose
from magma_ros.motion.joint_path import (
    JointPath,
    PathRange,
    find_path_violation,
    rest_to_rest,
    slowed_down,
)
from magma_ros.rotations import DOWN, make_pose

SPEED, ACCELERATION = np.array([0.6, 1.2]), np.array([2.5, 2.5])
REACH = PathRange(np.array([-1.0, -1.0]), np.array([1.0, 1.0]), np.array([1.25, 1.25]))
LIMITS = MotionLimits(speed_m_s=0.15)
angles = st.floats(-1.0, 1.0)


class Slides:
    """Two joints that shift the tool along x and z, 0.3 m per rad, from (0.3, 0, 0.15)."""

    def forward(self, joints_rad: FloatArray) -> Pose:
        x, z = 0.3 * joints_rad
        return make_pose(np.array([0.3 + x, 0.0, 0.15 + z]), DOWN)


def path_of(*stops: tuple[float, float]) -> JointPath:
    return rest_to_rest([np.array(stop) for stop in stops], SPEED, ACCELERATION)


@settings(deadline=None, max_examples=40)
@given(angles, angles, angles, angles)
def test_from_rest_to_rest_in_a_straight_line_within_the_limits(
    a: float, b: float, c: float, d: float
) -> None:
    path = path_of((a, b), (c, d))

    assert path.positions_rad[0] == pytest.approx([a, b])
    assert path.positions_rad[-1] == pytest.approx([c, d], abs=1e-6)
    assert not path.speeds_rad_s[[0, -1]].any()
    assert (np.diff(path.times_s) > 0).all()
    period_s, steps = path.steps()
    assert (np.abs(np.diff(steps, axis=0)) / period_s <= SPEED * 1.02 + 1e-9).all()
    way, steps = np.array([c - a, d - b]), steps - [a, b]
    away = np.abs(steps[:, 0] * way[1] - steps[:, 1] * way[0])
    assert away.max() < 2e-3


def test_it_rests_at_every_stop() -> None:
    path = path_of((0.0, 0.0), (0.0, 0.3), (0.4, 0.3))

    there = np.abs(path.positions_rad - [0.0, 0.3]).max(axis=1) < 1e-9
    assert there.sum() == 1
    assert not path.speeds_rad_s[there].any()


def test_the_tool_is_not_faster_than_it_may_be() -> None:
    path = path_of((-0.4, 0.0), (0.4, 0.0))
    slow = slowed_down(path, Slides(), REACH, LIMITS)

    violation = find_path_violation(path, Slides(), REACH, LIMITS)
    assert violation == 'step too long after 0.26 s at [0.197, 0.0, 0.15] m'
    assert find_path_violation(slow, Slides(), REACH, LIMITS) is None
    assert slow.times_s[-1] > 1.15 * path.times_s[-1]
    assert slowed_down(slow, Slides(), REACH, LIMITS) is slow


@pytest.mark.parametrize(
    ('stops', 'word'),
    [
        ([(0.0, 0.0), (0.3, 0.0)], None),
        ([(0.0, 0.0), (0.0, -0.48), (0.0, 0.0)], 'leaves the box'),  # only on the way
        ([(-0.7, 0.0), (0.0, 0.0)], None),  # comes in from outside
        ([(-0.7, 0.0), (-0.8, 0.0), (0.0, 0.0)], 'leaves the box'),
        ([(0.0, 0.0), (0.0, 0.0)], None),
    ],
)
def test_the_whole_way_counts_not_its_end(
    stops: list[tuple[float, float]], word: str | None
) -> None:
    path = slowed_down(path_of(*stops), Slides(), REACH, LIMITS)

    violation = find_path_violation(path, Slides(), REACH, LIMITS)

    assert violation is None if word is None else violation and word in violation


def test_joints_keep_their_margins_on_the_way() -> None:
    tight = PathRange(np.array([-1.0, -0.2]), REACH.highest_rad, REACH.fastest_rad_s)
    path = slowed_down(path_of((0.0, 0.0), (0.0, -0.3), (0.0, 0.0)), Slides(), tight, LIMITS)

    violation = find_path_violation(path, Slides(), tight, LIMITS)

    assert violation is not None
    assert violation.startswith('joint limit')
