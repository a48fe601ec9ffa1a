"""command() on random streams of chunks, for arms that follow at once and for arms that lag."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_runs import (
    LIMITS,
    PERIOD_NS,
    PERIOD_S,
    SLACK,
    START,
    SimulatedArm,
    chunk_of,
    random_stream,
    run,
)

from magma_ros.data_types import Pose
from magma_ros.motion.norms import length
from magma_ros.motion.workspace import tilt
from magma_ros.pipeline import MotionMemory, command
from magma_ros.rotations import DOWN, make_pose, quaternion_difference, turn_quaternion


def outside_m(pose: Pose) -> float:
    low, high = np.array(LIMITS.box_min_m), np.array(LIMITS.box_max_m)
    return float(np.maximum(low - pose.translation_m, pose.translation_m - high).max())


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 100_000), st.sampled_from([0.0, 0.03, 0.06]), st.sampled_from([0.7, 1.5]))
def test_the_envelope_holds(seed: int, lag_s: float, size: float) -> None:
    rng = np.random.default_rng(seed)
    arm = SimulatedArm(lag_s=lag_s)
    memory = MotionMemory.at_rest(arm.state(0))
    before = memory.twist
    for sent in run(arm, memory, random_stream(rng, 150, size), range(150)):
        twist = sent.twist
        assert length(twist.linear_m_s) <= LIMITS.speed_m_s * SLACK
        assert length(twist.angular_rad_s) <= LIMITS.angular_speed_rad_s * SLACK
        change = length(twist.linear_m_s - before.linear_m_s) / PERIOD_S
        turn_change = length(twist.angular_rad_s - before.angular_rad_s) / PERIOD_S
        assert change <= LIMITS.brake_m_s2 * SLACK  # also in front of a wall
        assert turn_change <= 8.0 * SLACK
        # At a wall one axis may brake while the others speed up.
        faster = length(twist.linear_m_s) > length(before.linear_m_s) and 'box' not in sent.clipped
        assert change <= LIMITS.acceleration_m_s2 * SLACK or not faster
        assert outside_m(arm.pose) <= 1e-5
        assert tilt(arm.pose.quaternion_xyzw)[0] <= LIMITS.cone_rad + 1e-3
        assert not memory.violations
        before = twist


@pytest.mark.parametrize('lag_s', [0.0, 0.06])
def test_a_delta_is_executed_once_and_the_arm_waits_at_rest(lag_s: float) -> None:
    arm = SimulatedArm(lag_s=lag_s)
    memory = MotionMemory.at_rest(arm.state(0))
    way, turn = np.array([0.03, -0.02, 0.01]), np.array([0.05, 0.0, 0.2])
    chunks = {5: chunk_of(way, turn, 0)}
    *_, last = run(arm, memory, chunks, range(120))
    assert length(arm.pose.translation_m - START.translation_m - way) < 5e-4
    target = turn_quaternion(START.quaternion_xyzw, turn)
    assert length(quaternion_difference(arm.pose.quaternion_xyzw, target)) < 5e-3
    assert length(last.twist.linear_m_s) < 1e-3
    assert last.observation_age_s == pytest.approx(119 * PERIOD_S)


def test_no_jump_at_chunk_borders() -> None:
    arm = SimulatedArm()
    memory = MotionMemory.at_rest(arm.state(0))
    chunks = {
        10 * k + 4: chunk_of([0.03, 0.01 * (-1) ** k, 0], [0, 0, 0], 10 * k * PERIOD_NS)
        for k in range(5)
    }
    speeds = [sent.twist.linear_m_s for sent in run(arm, memory, chunks, range(80))]
    jerks = np.diff(speeds, n=2, axis=0) / PERIOD_S**2
    assert np.linalg.norm(jerks, axis=1).max() <= LIMITS.jerk_m_s3 * 1.05
    assert arm.pose.translation_m[0] > 0.38


def test_blind_travel_slows_down_on_an_old_picture() -> None:
    arm = SimulatedArm()
    memory = MotionMemory.at_rest(arm.state(0))
    old = chunk_of([0.05, 0, 0], [0, 0, 0], PERIOD_NS)
    *_, last = run(arm, memory, {50: old}, range(65))
    assert last.observation_age_s == pytest.approx(1.26)
    assert length(last.twist.linear_m_s) <= LIMITS.blind_travel_m / 1.2
    assert 'blind_travel' in last.clipped


def test_from_outside_of_the_box_only_back_in() -> None:
    arm = SimulatedArm(make_pose(np.array([0.3, 0.0, -0.03]), DOWN))
    memory = MotionMemory.at_rest(arm.state(0))
    chunks = {
        10 * k + 3: chunk_of([0.01, 0, -0.04], [0, 0, 0], 10 * k * PERIOD_NS) for k in range(10)
    }
    height = arm.pose.translation_m[2]
    for _ in run(arm, memory, chunks, range(130)):
        assert arm.pose.translation_m[2] >= min(height, LIMITS.box_min_m[2]) - 1e-6
        height = arm.pose.translation_m[2]
    assert height == pytest.approx(LIMITS.box_min_m[2], abs=1e-3)


def test_a_lagging_arm_is_not_pulled_past_the_goal() -> None:
    arm = SimulatedArm(lag_s=0.06)
    memory = MotionMemory.at_rest(arm.state(0))
    goal = START.translation_m + [0.09, 0.0, 0.0]
    chunks = {
        tick + 4: replace(
            chunk_of([0.03, 0, 0], [0, 0, 0], tick * PERIOD_NS), reference='commanded'
        )
        for tick in (0, 10, 20)
    }
    furthest = max(float(arm.pose.translation_m[0]) for _ in run(arm, memory, chunks, range(120)))
    assert furthest - goal[0] < 5e-4
    assert length(arm.pose.translation_m - goal) < 5e-4


def test_no_picture_carries_the_arm_further_than_its_share() -> None:
    """One picture, eight steps of 4 cm: without the bound the arm would go 32 cm."""
    arm = SimulatedArm(make_pose(np.array([0.15, 0.0, 0.15]), DOWN))
    memory = MotionMemory.at_rest(arm.state(0))
    step = chunk_of([0.04, 0, 0], [0, 0, 0], 0)
    long = replace(step, deltas=step.deltas * 8)
    *_, last = run(arm, memory, {2: long}, range(200))
    travelled = arm.pose.translation_m[0] - 0.15
    assert LIMITS.blind_travel_m - 0.001 < travelled <= LIMITS.blind_travel_m * SLACK
    assert 'blind_travel' in last.clipped
    assert not memory.violations
    again = replace(long, image_stamp_ns=200 * PERIOD_NS, sequence=1000)
    for _ in run(arm, memory, {202: again}, range(200, 300)):
        pass
    assert arm.pose.translation_m[0] - 0.15 > travelled + 0.04


def test_the_motion_does_not_go_on_behind_a_wall() -> None:
    """What a wall took from the wish must not be waiting for the arm when it comes back in."""
    arm = SimulatedArm(make_pose(np.array([0.3, 0.0, 0.05]), DOWN))
    memory = MotionMemory.at_rest(arm.state(0))
    chunks = {4: chunk_of([0, 0, -0.05], [0, 0, 0], 0)}
    for sent in run(arm, memory, chunks, range(60)):
        ahead = arm.pose.translation_m[2] - sent.target_gripper_in_base.translation_m[2]
        assert ahead < 0.004
    assert arm.pose.translation_m[2] == pytest.approx(LIMITS.box_min_m[2], abs=5e-4)


@pytest.mark.parametrize('rate_hz', [20, 500])
def test_slow_and_fast_loops_stop_at_the_wall_as_well(rate_hz: int) -> None:
    period_ns = 10**9 // rate_hz
    arm = SimulatedArm(make_pose(np.array([0.3, 0.0, 0.06]), DOWN))
    memory = MotionMemory.at_rest(arm.state(0))
    for tick in range(2 * rate_hz):
        now_ns = (tick + 1) * period_ns
        is_new = tick % max(1, rate_hz // 5) == 0
        chunk = chunk_of([0, 0, -0.05], [0, 0, 0], now_ns) if is_new else None
        chunk = chunk and replace(chunk, sequence=tick + 1)
        sent = command(memory, arm.state(now_ns), chunk, 1.0, LIMITS, 1 / rate_hz, now_ns)
        moved_m = sent.twist.linear_m_s / rate_hz
        arm.pose = make_pose(arm.pose.translation_m + moved_m, DOWN)
        assert not memory.violations
        assert outside_m(arm.pose) <= 1e-5
    assert arm.pose.translation_m[2] == pytest.approx(LIMITS.box_min_m[2], abs=2e-3)


def test_gripper_moves_at_its_rate_once_two_steps_agree() -> None:
    arm = SimulatedArm()
    memory = MotionMemory.at_rest(arm.state(0))
    chunks = {
        tick: chunk_of([0, 0, 0], [0, 0, 0], tick * PERIOD_NS, gripper)
        for tick, gripper in ((0, 1.0), (10, 0.0), (20, 0.0))
    }
    openings = [sent.gripper_opening for sent in run(arm, memory, chunks, range(50))]
    assert openings[:20] == [1.0] * 20
    np.testing.assert_allclose(openings[20:23], [0.94, 0.88, 0.82])
    assert openings[-1] == 0.0


def test_the_same_inputs_give_the_same_outputs() -> None:
    def poses() -> np.ndarray:
        arm = SimulatedArm(lag_s=0.05)
        memory = MotionMemory.at_rest(arm.state(0))
        chunks = random_stream(np.random.default_rng(3), 60, 1.0)
        return np.array([sent.twist.linear_m_s for sent in run(arm, memory, chunks, range(60))])

    np.testing.assert_array_equal(poses(), poses())
