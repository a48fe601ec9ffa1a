from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from magma_ros.motion.approach import (
    GAIN,
    STEP_M,
    STEP_RAD,
    WRIST_REACH_RAD,
    ToolGoal,
    delta_towards,
    misalignment_rad,
    nearest_square_yaw,
    tilt_rad,
)
from magma_ros.motion.funnel import funnel_height, rise_first, rise_to_align
from magma_ros.rotations import (
    down_with_euler,
    euler_from_down,
    euler_from_rotation_vector,
    make_pose,
)

TOOL_M = np.array([0.3, 0.0, 0.15])
angles = st.floats(-3.1, 3.1)


@settings(deadline=None, max_examples=100)
@given(angles, st.floats(-1.2, 1.2))
def test_the_yaw_fits_the_square_is_near_and_within_the_wrist(yaw: float, now: float) -> None:
    found = nearest_square_yaw(yaw, now)

    quarters = (found - yaw) / (np.pi / 2)
    assert quarters == pytest.approx(round(quarters), abs=1e-9)
    assert abs(found) <= WRIST_REACH_RAD + 1e-9
    if abs(found - now) > np.pi / 4 + 1e-9:  # only because the nearest was out of reach
        nearest = found + np.sign(now) * np.pi / 2
        assert abs(nearest) > WRIST_REACH_RAD


def test_a_near_goal_is_approached_by_a_share_of_the_way() -> None:
    goal = ToolGoal(TOOL_M + [0.02, -0.01, 0.03], 0.1, 1.0)

    delta = delta_towards(goal, TOOL_M, np.zeros(3))

    assert delta.translation_m == pytest.approx(GAIN * np.array([0.02, -0.01, 0.03]))
    assert delta.rotation_vector_rad == pytest.approx([0.0, 0.0, GAIN * 0.1])
    assert delta.gripper_opening == 1.0


def test_a_far_goal_is_clipped_axis_by_axis() -> None:
    delta = delta_towards(ToolGoal(TOOL_M + [1.0, -1.0, 0.01], 1.0, 0.0), TOOL_M, np.zeros(3))

    assert delta.translation_m == pytest.approx([STEP_M, -STEP_M, 0.009])
    assert euler_from_rotation_vector(delta.rotation_vector_rad) == pytest.approx(
        [0.0, 0.0, STEP_RAD]
    )


def test_lateral_slows_sideways_motion_only() -> None:
    goal = ToolGoal(TOOL_M + [0.02, 0.02, 0.02], 0.0, 0.0, lateral=0.5)

    delta = delta_towards(goal, TOOL_M, np.zeros(3))

    assert delta.translation_m == pytest.approx([0.009, 0.009, 0.018])


@settings(deadline=None, max_examples=30)
@given(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3), st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
def test_steps_lead_to_the_goal(roll: float, pitch: float, yaw: float, goal_yaw: float) -> None:
    goal = ToolGoal(TOOL_M + 0.1, goal_yaw, 0.0)
    tool_m, rotation = TOOL_M, down_with_euler(np.array([roll, pitch, yaw]))
    for _ in range(25):
        delta = delta_towards(goal, tool_m, euler_from_down(make_pose(tool_m, rotation)))
        tool_m = tool_m + delta.translation_m
        rotation = Rotation.from_rotvec(delta.rotation_vector_rad) * rotation

    assert tool_m == pytest.approx(goal.position_m, abs=1e-4)
    assert euler_from_down(make_pose(tool_m, rotation)) == pytest.approx(
        [0.0, 0.0, goal_yaw], abs=1e-3
    )


def test_small_misalignment_and_tilt_do_not_count() -> None:
    assert misalignment_rad(0.1, np.zeros(3)) == 0.0
    assert misalignment_rad(-0.32, np.zeros(3)) == pytest.approx(0.2)
    assert tilt_rad(np.array([0.04, -0.04, 1.0])) == 0.0
    assert tilt_rad(np.array([0.01, -0.15, 1.0])) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ('away_m', 'raised_m', 'height_m'),
    [(0.0, 0.0, 0.02), (0.01, 0.0, 0.02), (0.02, 0.0, 0.05), (0.2, 0.0, 0.08), (0.0, 0.01, 0.03)],
)
def test_the_funnel_is_flat_at_its_axis_and_ends_at_its_ceiling(
    away_m: float, raised_m: float, height_m: float
) -> None:
    assert funnel_height(0.02, 0.08, away_m, 3.0, 0.01, raised_m) == pytest.approx(height_m)


def test_a_floor_above_the_ceiling_wins() -> None:
    assert funnel_height(0.10, 0.08, 0.5, 3.0, 0.01) == pytest.approx(0.10)


def test_turning_lifts_the_funnel() -> None:
    assert rise_to_align(0.0, 0.0) == 0.0
    assert rise_to_align(0.5, 0.1) == pytest.approx(0.12 * 0.5 + 0.3 * 0.1)


@pytest.mark.parametrize(
    ('height_m', 'share'), [(0.0, 0.0), (0.05, 0.0), (0.06, 0.5), (0.07, 1.0), (1, 1)]
)
def test_sideways_motion_is_free_above_a_height(height_m: float, share: float) -> None:
    assert rise_first(height_m, 0.05, 0.02) == pytest.approx(share)
