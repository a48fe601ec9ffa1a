"""command() when something is wrong: no permission, garbage, blocked arms, broken measurements."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from pipeline_runs import (
    LIMITS,
    NAN,
    PERIOD_NS,
    PERIOD_S,
    SLACK,
    START,
    SimulatedArm,
    chunk_of,
    run,
)

from magma_ros.data_types import DeltaChunk, Pose
from magma_ros.motion.norms import length
from magma_ros.motion.reason_codes import Reason
from magma_ros.pipeline import MotionMemory, command
from magma_ros.rotations import DOWN, make_pose


def test_losing_the_permission_brakes_and_holds() -> None:
    arm = SimulatedArm(lag_s=0.03)
    memory = MotionMemory.at_rest(arm.state(0))
    chunk = chunk_of([0.05, 0, 0], [0, 0, 0.2], 0, gripper=0.0)
    for _ in run(arm, memory, {4: chunk}, range(16)):
        pass
    speeds, openings = [length(memory.twist.linear_m_s)], {memory.gripper_opening}
    assert speeds[0] > 0.05
    for sent in run(arm, memory, {}, range(16, 60), may=False):
        speeds.append(length(sent.twist.linear_m_s))
        openings.add(sent.gripper_opening)
    assert max(np.abs(np.diff(speeds))) <= LIMITS.brake_m_s2 * PERIOD_S * SLACK
    assert speeds[3] < speeds[0]  # slower after three ticks at most
    assert speeds[15:] == [0.0] * len(speeds[15:])
    assert len(openings) == 1
    stopped = arm.pose.translation_m.copy()
    # Permission alone moves nothing: the chunk is forgotten, also when it is offered again.
    for _ in run(arm, memory, {70: chunk}, range(60, 100)):
        pass
    assert length(arm.pose.translation_m - stopped) < 1e-3


def test_a_blocked_arm_is_not_pushed_at_full_speed() -> None:
    """Commanded targets run away from the arm up to 10 cm; the leash ends at 5 cm."""
    arm = SimulatedArm()
    memory = MotionMemory.at_rest(arm.state(0))
    state = arm.state(0)
    speeds = []
    for tick in range(150):
        now_ns = tick * PERIOD_NS
        chunk = chunk_of([0.04, 0, 0], [0, 0, 0], now_ns) if tick % 10 == 0 else None
        chunk = replace(chunk, reference='commanded') if chunk else None
        stuck = replace(state, stamp_ns=now_ns)
        sent = command(memory, stuck, chunk, True, LIMITS, PERIOD_S, now_ns)
        speeds.append(length(sent.twist.linear_m_s))
    away = sent.target_gripper_in_base.translation_m - START.translation_m
    assert 0.045 < length(away) <= 0.05 + LIMITS.speed_m_s * PERIOD_S
    assert 'leash' in sent.clipped
    assert max(speeds) > 0.12
    assert max(speeds[75:]) < 0.08


def test_an_arm_moved_by_hand_while_held_stays_there() -> None:
    arm = SimulatedArm()
    memory = MotionMemory.at_rest(arm.state(0))
    for _ in run(arm, memory, {}, range(5), may=False):
        pass
    by_hand = make_pose(START.translation_m + [0.0, 0.03, 0.02], DOWN)
    arm.pose = by_hand
    for sent in run(arm, memory, {}, range(5, 50)):
        assert not sent.twist.linear_m_s.any()
    np.testing.assert_array_equal(arm.pose.translation_m, by_hand.translation_m)


@pytest.mark.parametrize(
    ('chunk', 'reason'),
    [
        (chunk_of([NAN, 0, 0], [0, 0, 0], PERIOD_NS), Reason.ACTION_NONFINITE),
        (chunk_of([0, 0, 0], [0, float('inf'), 0], PERIOD_NS), Reason.ACTION_NONFINITE),
        (chunk_of([0.5, 0, 0], [0, 0, 0], PERIOD_NS), Reason.ACTION_RANGE),
        (chunk_of([0.01, 0, 0], [0, 0, 0], 40 * PERIOD_NS), Reason.STAMP_FUTURE),
    ],
)
def test_garbage_moves_nothing(chunk: DeltaChunk, reason: Reason) -> None:
    arm = SimulatedArm()
    memory = MotionMemory.at_rest(arm.state(0))
    for sent in run(arm, memory, {5: chunk}, range(30)):
        assert not sent.twist.linear_m_s.any()
    assert memory.schedule.refusal is reason
    np.testing.assert_array_equal(arm.pose.translation_m, START.translation_m)


def test_a_measurement_that_is_not_finite_stands_still_and_passes() -> None:
    arm = SimulatedArm()
    memory = MotionMemory.at_rest(arm.state(0))
    for _ in run(arm, memory, {2: chunk_of([0.04, 0, 0], [0, 0, 0], 0)}, range(10)):
        pass
    broken = replace(arm, pose=Pose(np.array([NAN, 0, 0]), START.quaternion_xyzw))
    sent = command(memory, broken.state(1), None, True, LIMITS, PERIOD_S, 10 * PERIOD_NS)
    assert not sent.twist.linear_m_s.any()
    assert sent.clipped == ('JOINTS_INVALID',)
    *_, last = run(arm, memory, {}, range(11, 100))
    assert np.isfinite(last.twist.linear_m_s).all()
    assert arm.pose.translation_m[0] == pytest.approx(0.34, abs=1e-3)


def test_a_failed_verification_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    arm = SimulatedArm()
    memory = MotionMemory.at_rest(arm.state(0))
    for _ in run(arm, memory, {0: chunk_of([0.05, 0, 0], [0, 0, 0], 0)}, range(12)):
        pass
    monkeypatch.setattr('magma_ros.pipeline.find_violations', lambda *_: ('broken',))
    sent = command(memory, arm.state(240), None, True, LIMITS, PERIOD_S, 12 * PERIOD_NS)
    assert not sent.twist.linear_m_s.any()
    assert Reason.VERIFY_FAILED.name in sent.clipped
    assert memory.violations == ('broken',)
    monkeypatch.undo()
    sent = command(memory, arm.state(260), None, False, LIMITS, PERIOD_S, 13 * PERIOD_NS)
    assert not sent.twist.linear_m_s.any()  # nothing swings back


def test_importable_without_ros_and_torch() -> None:
    code = 'import sys, magma_ros.pipeline; assert not {"rclpy", "torch"} & set(sys.modules)'
    subprocess.run([sys.executable, '-c', code], check=True, timeout=60)
