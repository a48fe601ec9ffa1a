"""What is refused and why; what is due and when."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from magma_ros.data_types import ArmState, DeltaChunk, EndEffectorDelta, MotionLimits, Pose
from magma_ros.motion.chunk_check import ChunkRules, find_refusal
from magma_ros.motion.chunk_schedule import ChunkSchedule
from magma_ros.motion.reason_codes import Reason
from magma_ros.rotations import DOWN, make_pose

LIMITS = MotionLimits()
RULES = ChunkRules(step_s=0.2)
NOW_NS = 10_000_000_000
START = make_pose(np.array([0.3, 0.0, 0.15]), DOWN)


def ms(milliseconds: float) -> int:
    return int(milliseconds * 1_000_000)


def up(height_m: float = 0.01, gripper: float = 1.0) -> EndEffectorDelta:
    return EndEffectorDelta(np.array([0.0, 0.0, height_m]), np.zeros(3), gripper)


def chunk_of(
    *deltas: EndEffectorDelta, stamp_ns: int = NOW_NS - ms(100), sequence: int = 1
) -> DeltaChunk:
    frame = 'wx250s/base_link'
    return DeltaChunk(deltas or (up(),), 0.2, stamp_ns, 'measured', frame, sequence)


def arm_at(pose: Pose, stamp_ns: int) -> ArmState:
    return ArmState(np.zeros(6), np.zeros(6), pose, 1.0, stamp_ns)


def schedule_with(*states: ArmState) -> ChunkSchedule:
    schedule = ChunkSchedule(RULES)
    for state in states or (arm_at(START, NOW_NS - ms(100)),):
        schedule.remember(state)
    return schedule


def with_numbers(translation: list[float], rotation: list[float], gripper: float) -> DeltaChunk:
    return chunk_of(EndEffectorDelta(np.array(translation), np.array(rotation), gripper))


GOOD = chunk_of()
NAN, INF = float('nan'), float('inf')


@pytest.mark.parametrize(
    ('chunk', 'reason'),
    [
        (GOOD, None),
        (with_numbers([NAN, 0, 0], [0, 0, 0], 1), Reason.ACTION_NONFINITE),
        (with_numbers([0, 0, 0], [0, -INF, 0], 1), Reason.ACTION_NONFINITE),
        (with_numbers([0, 0, 0], [0, 0, 0], NAN), Reason.ACTION_NONFINITE),
        (with_numbers([0, 0], [0, 0, 0], 1), Reason.ACTION_DIMS),
        (with_numbers([0, 0, 0], [0, 0, 0, 0], 1), Reason.ACTION_DIMS),
        (replace(GOOD, deltas=()), Reason.ACTION_DIMS),
        (replace(GOOD, deltas=(up(),) * 65), Reason.ACTION_DIMS),
        (with_numbers([0.149, 0, 0], [0, 0, 0.74], 1), None),
        (with_numbers([0.151, 0, 0], [0, 0, 0], 1), Reason.ACTION_RANGE),
        (with_numbers([0.11, 0.11, 0], [0, 0, 0], 1), Reason.ACTION_RANGE),
        (with_numbers([0, 0, 0], [0, 0.76, 0], 1), Reason.ACTION_RANGE),
        (with_numbers([0, 0, 0], [0, 0, 0], 1.2), Reason.ACTION_RANGE),
        (replace(GOOD, frame_id='camera_link'), Reason.FRAME),
        (replace(GOOD, frame_id=''), Reason.FRAME),
        (replace(GOOD, step_s=0.1), Reason.STEP_TIME),
        (replace(GOOD, step_s=NAN), Reason.STEP_TIME),
        (replace(GOOD, image_stamp_ns=NOW_NS + ms(40)), None),
        (replace(GOOD, image_stamp_ns=NOW_NS + ms(60)), Reason.STAMP_FUTURE),
        (replace(GOOD, image_stamp_ns=NOW_NS - ms(2900)), None),
        (replace(GOOD, image_stamp_ns=NOW_NS - ms(3100)), Reason.STAMP_OLD),
        (replace(GOOD, image_stamp_ns=0), Reason.STAMP_OLD),
    ],
)
def test_refusals(chunk: DeltaChunk, reason: Reason | None) -> None:
    assert find_refusal(chunk, None, RULES, LIMITS, NOW_NS) is reason


@pytest.mark.parametrize(
    ('sequence', 'later_ms', 'reason'),
    [
        (2, 1, None),
        (1, 1, Reason.SEQ),
        (0, 1, Reason.SEQ),
        (2, 0, Reason.SEQ),
        (2, -1, Reason.SEQ),
    ],
)
def test_chunks_must_be_newer_than_the_last(
    sequence: int, later_ms: int, reason: Reason | None
) -> None:
    chunk = chunk_of(sequence=sequence, stamp_ns=GOOD.image_stamp_ns + ms(later_ms))
    assert find_refusal(chunk, GOOD, RULES, LIMITS, NOW_NS) is reason


def test_a_refused_chunk_has_no_effect_and_is_counted() -> None:
    schedule = schedule_with()
    schedule.offer(GOOD, START, LIMITS, NOW_NS)
    before = schedule.due(NOW_NS)
    bad = replace(GOOD, sequence=2, image_stamp_ns=NOW_NS, frame_id='nonsense')
    for sequence in (2, 3):
        schedule.offer(replace(bad, sequence=sequence), START, LIMITS, NOW_NS)
    assert schedule.due(NOW_NS) == before
    assert schedule.refused == {Reason.FRAME: 2}
    assert schedule.refused_in_a_row == 2
    schedule.offer(chunk_of(stamp_ns=NOW_NS, sequence=2), START, LIMITS, NOW_NS)
    assert (schedule.refused_in_a_row, schedule.refusal) == (0, None)


def test_the_same_object_again_is_no_news() -> None:
    schedule = schedule_with()
    for _ in range(3):
        schedule.offer(GOOD, START, LIMITS, NOW_NS)
    assert not schedule.refused


def test_steps_are_due_by_time_and_the_last_is_held() -> None:
    schedule = schedule_with()
    stamp_ns = NOW_NS - ms(450)  # the model was slow: step 0 and 1 are over
    schedule.offer(chunk_of(up(), up(), up(), up(), stamp_ns=stamp_ns), START, LIMITS, NOW_NS)
    heights = []
    for after_ms in (450, 599, 600, 799, 800, 5000):
        due = schedule.due(stamp_ns + ms(after_ms))
        assert due is not None
        heights.append(due.target_gripper_in_base.translation_m[2])
    np.testing.assert_allclose(heights, [0.18, 0.18, 0.19, 0.19, 0.19, 0.19])


def test_the_newest_chunk_wins() -> None:
    schedule = schedule_with()
    schedule.offer(chunk_of(up(), up()), START, LIMITS, NOW_NS)
    newer = chunk_of(up(-0.02, gripper=0.0), stamp_ns=NOW_NS, sequence=2)
    schedule.offer(newer, START, LIMITS, NOW_NS)
    due = schedule.due(NOW_NS)
    assert due is not None
    assert due.target_gripper_in_base.translation_m[2] == pytest.approx(0.13)
    assert due.gripper_opening == 0.0


def test_measured_reference_is_where_the_arm_was_when_the_picture_was_taken() -> None:
    moving = [
        arm_at(
            make_pose(START.translation_m + [0.001 * k, 0.0, 0.0], DOWN),
            NOW_NS - ms(20 * (10 - k)),
        )
        for k in range(11)
    ]
    schedule = schedule_with(*moving)
    schedule.offer(chunk_of(stamp_ns=NOW_NS - ms(90)), START, LIMITS, NOW_NS)
    due = schedule.due(NOW_NS)
    assert due is not None
    np.testing.assert_allclose(due.target_gripper_in_base.translation_m, [0.3055, 0.0, 0.16])


def test_commanded_reference_continues_the_target_but_not_far_from_the_arm() -> None:
    commanded = make_pose(START.translation_m + [0.02, 0.0, 0.0], DOWN)
    schedule = schedule_with()
    schedule.offer(replace(GOOD, reference='commanded'), commanded, LIMITS, NOW_NS)
    due = schedule.due(NOW_NS)
    assert due is not None
    np.testing.assert_allclose(due.target_gripper_in_base.translation_m, [0.32, 0.0, 0.16])

    runaway = make_pose(START.translation_m + [0.14, 0.0, 0.0], DOWN)
    again = replace(GOOD, reference='commanded', sequence=2, image_stamp_ns=NOW_NS)
    schedule.offer(again, runaway, LIMITS, NOW_NS)
    due = schedule.due(NOW_NS)
    assert due is not None
    np.testing.assert_allclose(due.target_gripper_in_base.translation_m, [0.4, 0.0, 0.16])


def test_nothing_is_due_before_the_first_chunk_and_after_a_flush() -> None:
    schedule = schedule_with()
    assert schedule.due(NOW_NS) is None
    schedule.offer(GOOD, START, LIMITS, NOW_NS)
    schedule.flush()
    assert schedule.due(NOW_NS) is None


def test_reason_codes_are_those_of_the_specification() -> None:
    numbers = {
        'ACTION_STALE': 100, 'ACTION_NONFINITE': 101, 'ACTION_DIMS': 102, 'ACTION_RANGE': 103,
        'FRAME': 104, 'SEQ': 105, 'STAMP_FUTURE': 106, 'STAMP_OLD': 107, 'SESSION': 108,
        'CAMERA_STALE': 120, 'CAMERA_FROZEN': 121, 'CAMERA_DARK': 122, 'CAMERA_FORMAT': 123,
        'JOINTS_STALE': 130, 'JOINTS_INVALID': 131, 'TF': 132, 'CLOCK_JUMP': 140, 'BOX': 150,
        'JOINT_LIMIT': 151, 'SINGULAR': 152, 'IK': 153, 'COLLISION': 154, 'TRACKING': 155,
        'EFFORT': 156, 'TEMP': 157, 'MODEL_CRASH': 160, 'MODEL_OOM': 161, 'MODEL_HASH': 162,
        'ESTOP': 180, 'DEADMAN': 181, 'TAKEOVER': 182, 'PUBLISHER_CONFLICT': 190, 'PARAM': 191,
        'DISK': 200, 'RECORDER': 201, 'VERIFY_FAILED': 210,
    }  # fmt: skip
    assert {name: int(Reason[name]) for name in numbers} == numbers
    assert len({int(reason) for reason in Reason}) == len(Reason)
    assert all(reason.text for reason in Reason)


def test_after_the_clock_went_back_no_state_of_the_future_is_remembered() -> None:
    high = make_pose(np.array([0.3, 0.0, 0.25]), DOWN)
    back_ns = NOW_NS - ms(3000)
    schedule = schedule_with(arm_at(START, NOW_NS), arm_at(high, back_ns))

    assert schedule.measured_at(back_ns).translation_m[2] == pytest.approx(0.25)
    schedule.remember(arm_at(START, back_ns + ms(20)))
    assert schedule.measured_at(back_ns + ms(10)).translation_m[2] == pytest.approx(0.2)
