"""Gestures as chunks: how far, in whose axes, and that the controller takes them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from magma_ros.data_types import (
    ArmState,
    DeltaChunk,
    EndEffectorDelta,
    MotionLimits,
    Pose,
    Twist,
)
from magma_ros.motion.chunk_check import ChunkRules, find_refusal, is_teleop
from magma_ros.motion.delta_target import apply_delta
from magma_ros.motion.gripper_gate import GripperGate
from magma_ros.rotations import DOWN, make_pose
from magma_ros.teleop.chunk_maker import ChunkMaker
from magma_ros.teleop.deadman_guard import DeadmanGuard
from magma_ros.teleop.gesture import TeleopGesture
from magma_ros.teleop.session import TeleopSession

NOW_NS = 1_700_000_000_000_000_000
TICK_NS = 20_000_000
FORWARD = Twist(np.array([0.1, 0.0, 0.0]), np.array([0.0, 0.0, 0.5]))
TOOL = make_pose(np.array([0.3, 0.0, 0.15]), DOWN)  # x approaches: down
CAMERA = Pose(np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0, 0.0]))  # z down, x as the base's


def arm(stamp_ns=NOW_NS):
    return ArmState(np.zeros(6), np.zeros(6), TOOL, 1.0, stamp_ns)


@pytest.fixture
def maker():
    return ChunkMaker('wx250s/base_link', 0.02)


@pytest.mark.parametrize(
    ('frame', 'shift', 'turn'),
    [
        ('base', [0.002, 0, 0], [0, 0, 0.01]),
        ('tool', [0, 0, -0.002], [0.01, 0, 0]),
        ('camera', [0.002, 0, 0], [0, 0, -0.01]),
    ],
)
def test_a_velocity_is_a_displacement_in_base_axes(maker, frame, shift, turn):
    chunk = maker.make(TeleopGesture(True, FORWARD, frame), arm(), CAMERA, NOW_NS)
    (delta,) = chunk.deltas

    assert delta.translation_m == pytest.approx(shift, abs=1e-12)
    assert delta.rotation_vector_rad == pytest.approx(turn, abs=1e-12)
    assert (chunk.reference, chunk.step_s, chunk.source) == ('commanded', 0.02, 'teleop')


@pytest.mark.parametrize('frame', ['tool', 'camera'])
def test_an_unknown_frame_is_no_guess(maker, frame):
    with pytest.raises(LookupError, match=frame):
        maker.make(TeleopGesture(True, FORWARD, frame), None, None, NOW_NS)


def test_a_goal_is_reached_from_where_the_arm_was_measured(maker):
    goal = make_pose(np.array([0.31, 0.02, 0.14]), DOWN)
    gesture = TeleopGesture(True, goal_gripper_in_base=goal)
    chunk = maker.make(gesture, arm(NOW_NS - 5_000_000), None, NOW_NS)

    target = apply_delta(TOOL, chunk.deltas[0])
    assert target.translation_m == pytest.approx(goal.translation_m)
    assert (chunk.reference, chunk.image_stamp_ns) == ('measured', NOW_NS - 5_000_000)
    assert maker.make(gesture, arm(NOW_NS - 5_000_000), None, NOW_NS) is None, 'nothing new'
    far = TeleopGesture(True, goal_gripper_in_base=make_pose(np.array([0.9, 0, 0.15]), DOWN))
    step = maker.make(far, arm(NOW_NS), None, NOW_NS).deltas[0].translation_m
    assert np.linalg.norm(step) == pytest.approx(0.05)


def test_a_recorded_chunk_keeps_its_deltas_and_is_stamped_anew(maker):
    delta = EndEffectorDelta(np.array([0.0, 0.0, -0.01]), np.zeros(3), 0.0)
    old = DeltaChunk((delta, delta), 0.2, 5, 'measured', 'elsewhere', 3, 'path')
    chunk = maker.make(TeleopGesture(True, recorded=old), arm(), None, NOW_NS)

    assert chunk.deltas == old.deltas
    assert chunk.step_s == 0.2
    assert (chunk.image_stamp_ns, chunk.source) == (NOW_NS, 'teleop')
    assert chunk.frame_id == 'wx250s/base_link'


def test_the_controller_takes_every_chunk_also_of_a_restarted_process(maker):
    rules, limits, before = ChunkRules(), MotionLimits(), None
    gesture = TeleopGesture(True, FORWARD)
    for tick in range(200):
        if tick == 100:
            maker = ChunkMaker('wx250s/base_link', 0.02)
        now_ns = NOW_NS + tick * TICK_NS
        chunk = maker.make(gesture, arm(), None, now_ns)
        assert is_teleop(chunk)
        assert find_refusal(chunk, before, rules, limits, now_ns) is None
        before = chunk


def test_after_the_clock_went_back_it_goes_on_with_higher_numbers(maker):
    gesture = TeleopGesture(True, FORWARD)
    first = maker.make(gesture, arm(), None, NOW_NS)
    assert maker.make(gesture, arm(), None, NOW_NS - 1) is None
    second = maker.make(gesture, arm(), None, NOW_NS - 60_000_000_000)

    assert second.sequence > first.sequence


def test_the_gripper_stays_until_the_person_says_something_and_after_each_press(maker):
    gesture = TeleopGesture(True, FORWARD)
    wish = [
        maker.make(one, arm(), None, NOW_NS + tick * TICK_NS).deltas[0].gripper_opening
        for tick, one in enumerate([gesture, replace(gesture, gripper_opening=0.0), gesture])
    ]
    maker.forget_gripper()
    wish.append(maker.make(gesture, arm(), None, NOW_NS + TICK_NS * 9).deltas[0].gripper_opening)
    assert wish == [0.5, 0.0, 0.0, 0.5]

    for before in (0.0, 1.0):
        gate = GripperGate(before)
        for tick in range(100):
            gate = gate.pass_on((tick, 0), 0.5, 0.02)
        assert gate.opening == before, 'half open must mean: as it is'


class Scripted:
    def __init__(self, *gestures):
        self.gestures = list(gestures)

    def read(self, arm, now_s):
        return self.gestures.pop(0)

    def close(self):
        self.gestures = None


HELD, FREE = TeleopGesture(True, FORWARD), TeleopGesture()


def test_a_session_gives_the_arm_to_one_device_and_says_why_others_cannot(maker):
    pad = Scripted(FREE, HELD, HELD, HELD, FREE)
    mouse = Scripted(FREE, FREE, HELD, TeleopGesture.lost('unplugged'), HELD)
    session = TeleopSession({'pad': pad, 'mouse': mouse}, {'pad': 9.0, 'mouse': 9.0}, maker)
    ticks = [session.tick(arm(), None, n * 0.02, NOW_NS + n * TICK_NS) for n in range(5)]

    assert [tick.owner for tick in ticks] == [None, 'pad', 'pad', 'pad', None]
    assert [tick.chunk is not None for tick in ticks] == [False, True, True, True, False]
    assert ticks[3].faults == {'mouse': 'unplugged'}


def test_beside_another_process_nobody_steers_and_each_must_press_anew(maker):
    session = TeleopSession({'pad': Scripted(FREE, *[HELD] * 4)}, {'pad': 9.0}, maker)
    alone = [True, True, False, True, True]
    ticks = [
        session.tick(arm(), None, n * 0.02, NOW_NS + n * TICK_NS, is_alone)
        for n, is_alone in enumerate(alone)
    ]

    assert [tick.owner for tick in ticks] == [None, 'pad', None, None, None]


def test_a_device_in_axes_that_are_not_known_holds_nothing(maker):
    in_camera = TeleopGesture(True, FORWARD, 'camera')
    session = TeleopSession({'pad': Scripted(FREE, in_camera)}, {'pad': 9.0}, maker)
    session.tick(arm(), None, 0.0, NOW_NS)
    tick = session.tick(arm(), None, 0.02, NOW_NS + TICK_NS)

    assert tick.owner is None
    assert 'camera is not known' in tick.faults['pad']
    assert DeadmanGuard(9.0).hear(True, 0.0).complaint
