"""Devices that want a place rather than a speed: they begin where the arm is, or not at all."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from magma_ros.data_types import ArmState, DeltaChunk, EndEffectorDelta
from magma_ros.errors import ConfigurationError
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.teleop.gesture import TeleopGesture
from magma_ros.teleop.held_switch import HeldSwitch
from magma_ros.teleop.leader_arm import LeaderDevice, LeaderReading
from magma_ros.teleop.replay import LEAD_S, Recording, ReplayDevice
from magma_ros.teleop.settings import load_device_file

PROFILE = load_arm_profile('wx250s')
KINEMATICS = PROFILE.kinematics()
START = np.array(PROFILE.start_joints_rad)


class Switch:
    """A device that is nothing but a switch."""

    def __init__(self):
        self.is_held, self.fault = False, ''

    def read(self, arm, now_s):
        return TeleopGesture(self.is_held, fault=self.fault)

    def close(self):
        pass


def arm_at(joints, now_s=0.0):
    stamp_ns = round(now_s * 1e9)
    return ArmState(joints, np.zeros(6), KINEMATICS.forward(joints), 1.0, stamp_ns)


class Leader:
    """A leader, a follower, and time in steps of 40 ms (GELLO's 25 Hz)."""

    def __init__(self, settings=None):
        self.switch, self.now_s = Switch(), 0.0
        self.settings = settings or load_device_file('leader').settings
        self.joints, self.finger, self.arm = START.copy(), 0.037, arm_at(START)
        self.reading = None
        self.device = LeaderDevice(
            self.settings,
            PROFILE.joint_names,
            KINEMATICS,
            lambda: self.reading,
            HeldSwitch(self.switch, 100.0),
        )
        self.read()

    def read(self, is_held=None):
        self.now_s += 0.04
        self.switch.is_held = self.switch.is_held if is_held is None else is_held
        positions = dict(zip(PROFILE.joint_names, self.joints.tolist(), strict=True))
        self.reading = LeaderReading({**positions, 'left_finger': self.finger}, self.now_s)
        return self.device.read(self.arm, self.now_s)


def test_a_matched_leader_is_followed_and_its_gripper_too():
    leader = Leader()
    assert not leader.read().is_held
    gesture = leader.read(is_held=True)
    assert gesture.is_held
    assert gesture.goal_gripper_in_base.translation_m == pytest.approx([0.3, 0, 0.15], abs=2e-3)
    leader.joints[0] += 0.2
    leader.finger = 0.015
    gesture = leader.read()
    expected = KINEMATICS.forward(leader.joints).translation_m

    assert gesture.goal_gripper_in_base.translation_m == pytest.approx(expected)
    assert gesture.gripper_opening == 0.0


@pytest.mark.parametrize(
    ('away', 'words'),
    [
        ([0.5, 0, 0, 0, 0, 0], "move the leader back by {'waist': 0.5} rad"),
        ([0.15, 0, 0, 0, 0, 0], 'must first be within 30 mm and 0.2 rad'),
        ([0, 0, 0, 0, 0, 0.25], 'must first be within 30 mm and 0.2 rad'),
    ],
)
def test_a_leader_elsewhere_is_not_followed_however_long_the_switch_is_held(away, words):
    leader = Leader()
    leader.joints = START + away
    for _ in range(3):
        leader.device.read(leader.arm, leader.now_s)
    leader.read(is_held=False)
    gesture = leader.read(is_held=True)
    assert not gesture.is_held
    assert words in gesture.fault

    leader.joints = START.copy()
    leader.read()
    assert not leader.read().is_held, 'matched now, but the switch is still held'
    leader.read(is_held=False)
    assert leader.read(is_held=True).is_held


def test_a_jump_lets_go_until_the_switch_is_pressed_anew():
    leader = Leader()
    leader.read()
    assert leader.read(is_held=True).is_held
    leader.joints[1] += 0.35
    gesture = leader.read()
    assert not gesture.is_held
    assert 'jumped' in gesture.fault
    leader.joints[1] -= 0.35
    for _ in range(3):
        assert not leader.read().is_held


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (lambda leader: leader.joints.__setitem__(0, math.nan), 'not finite'),
        (lambda leader: setattr(leader, 'finger', math.inf), 'not finite'),
        (lambda leader: setattr(leader, 'arm', None), 'the arm itself is silent'),
        (lambda leader: setattr(leader.switch, 'fault', 'gone'), 'gone'),
    ],
)
def test_faults_let_go(change, words):
    leader = Leader()
    leader.read()
    assert leader.read(is_held=True).is_held
    change(leader)
    leader.switch.is_held = leader.switch.is_held and not leader.switch.fault
    gesture = leader.read()

    assert not gesture.is_held
    assert words in gesture.fault


def test_silence_and_missing_joints_let_go():
    leader = Leader()
    leader.read()
    assert leader.read(is_held=True).is_held
    assert 'silent' in leader.device.read(leader.arm, leader.now_s + 0.3).fault
    leader.reading = LeaderReading({'waist': 0.0}, leader.now_s)
    assert "no joint 'shoulder'" in leader.device.read(leader.arm, leader.now_s).fault


def test_signs_and_offsets_of_the_map():
    settings = load_device_file('leader').settings
    turned = {**settings.joints['waist'], 'sign': -1, 'offset_rad': 0.1}
    leader = Leader(replace(settings, joints={**settings.joints, 'waist': turned}))
    leader.joints[0] = 0.1  # -0.1 + 0.1 is where the arm is
    leader.read()
    gesture = leader.read(is_held=True)

    assert gesture.goal_gripper_in_base.translation_m == pytest.approx(
        leader.arm.pose_gripper_in_base.translation_m
    )


def test_a_map_of_another_arm_is_refused():
    settings = load_device_file('leader').settings
    with pytest.raises(ConfigurationError, match='panda_joint1'):
        LeaderDevice(settings, ('panda_joint1',), KINEMATICS, lambda: None, None)


# ---------------------------------------------------------------------------------------- replay


def chunk(sequence):
    delta = EndEffectorDelta(np.array([0.0, 0.0, -0.01]), np.zeros(3), 1.0)
    return DeltaChunk((delta, delta), 0.2, sequence, 'measured', 'elsewhere', sequence, 'path')


@pytest.fixture
def replay():
    recording = Recording(
        ((0.0, chunk(1)), (0.5, chunk(2)), (0.9, chunk(3))), KINEMATICS.forward(START)
    )
    switch = Switch()
    settings = load_device_file('replay').settings
    device = ReplayDevice(settings, recording, HeldSwitch(switch, 600.0))
    device.read(arm_at(START), 0.0)
    return device, switch


def play(device, since_s, until_s, arm=None):
    arm = arm_at(START) if arm is None else arm
    times = np.arange(since_s, until_s, 0.02)
    return [(float(at_s), device.read(arm, float(at_s))) for at_s in times]


def test_chunks_come_at_their_times_and_the_end_waits_for_the_last(replay):
    device, switch = replay
    switch.is_held = True
    seen = play(device, 1.0, 4.0)
    played = [(at_s, g.recorded.sequence) for at_s, g in seen if g.recorded is not None]

    assert [number for _, number in played] == [1, 2, 3]
    assert [at_s for at_s, _ in played] == pytest.approx(
        [1 + LEAD_S, 1.5 + LEAD_S, 1.9 + LEAD_S], abs=0.021
    )
    held = [at_s for at_s, gesture in seen if gesture.is_held]
    assert held[-1] == pytest.approx(1.0 + LEAD_S + 0.9 + 0.4, abs=0.03)
    assert 'over' in seen[-1][1].fault


def test_letting_go_begins_anew_and_only_at_the_start(replay):
    device, switch = replay
    switch.is_held = True
    play(device, 1.0, 2.0)
    switch.is_held = False
    assert not any(gesture.is_held for _, gesture in play(device, 2.0, 2.2))

    switch.is_held = True
    elsewhere = arm_at(START + np.array([0.2, 0, 0, 0, 0, 0]))
    seen = play(device, 2.2, 2.6, elsewhere)
    assert not any(gesture.is_held for _, gesture in seen)
    assert 'not replaying: the gripper must first be within 30 mm' in seen[0][1].fault
    seen = play(device, 2.6, 3.2)
    assert next(g.recorded.sequence for _, g in seen if g.recorded is not None) == 1
