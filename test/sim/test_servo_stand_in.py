"""What the recordings do not hold: settings that are refused, limits under random commands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.data_types import Twist
from magma_ros.errors import ConfigurationError
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.robot.moveit_parameters import servo_parameters
from magma_ros.sim.servo_collision import Sphere, Table
from magma_ros.sim.servo_records import (
    CommandType,
    JogCommand,
    ServoSettings,
    ServoStatus,
    TwistCommand,
)
from magma_ros.sim.servo_setup import make_stand_in, read_settings
from magma_ros.sim.servo_stand_in import ServoStandIn

PROFILE = load_arm_profile('wx250s')
KINEMATICS = PROFILE.kinematics()
START = np.array(PROFILE.start_joints_rad)
SETTINGS = ServoSettings()
PERIOD_S = SETTINGS.publish_period


def make_servo(mode: CommandType = CommandType.TWIST) -> ServoStandIn:
    servo = ServoStandIn(KINEMATICS, SETTINGS)
    servo.switch_command_type(mode)
    return servo


def twist(linear_m_s, angular_rad_s=(0.0, 0.0, 0.0), now_s: float = 0.0) -> TwistCommand:
    parts = Twist(np.array(linear_m_s, float), np.array(angular_rad_s, float))
    return TwistCommand(parts, PROFILE.base_link, now_s)


def run(servo: ServoStandIn, command, ticks: int, joints=START, begin_tick: int = 0):
    """The outputs of a stream; the arm is where it is told to be."""
    outputs = []
    for tick in range(begin_tick, begin_tick + ticks):
        now_s = tick * PERIOD_S
        if command is not None:
            servo.receive(command(now_s))
        outputs.append(servo.tick(now_s, joints))
        if outputs[-1].points:
            joints = servo.commanded_rad
    return outputs


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'max_expected_latency': 0.05}, 'three times publish_period'),
        ({'lower_singularity_threshold': 80.0}, 'hard_stop_singularity_threshold'),
        ({'self_collision_proximity_threshold': 0.03}, 'scene_collision_proximity_threshold'),
    ],
)
def test_settings_that_servo_refuses_are_refused(values: dict, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        ServoSettings(**values)


@pytest.mark.parametrize('arm', ['wx250s', 'panda'])
def test_the_parameters_of_moveit_are_those_of_the_stand_in(arm: str) -> None:
    profile = load_arm_profile(arm)

    servo = make_stand_in(profile)

    said = servo_parameters(profile, profile.urdf_text(), 'jazzy')['moveit_servo']
    assert servo.settings.publish_period == said['publish_period']
    assert servo.settings.scale_linear == said['scale']['linear']
    assert servo.settings.smoothing == 'acceleration_limited'


def test_a_parameter_that_is_missing_or_unknown_is_named() -> None:
    said = servo_parameters(PROFILE, PROFILE.urdf_text(), 'jazzy')['moveit_servo']

    with pytest.raises(ConfigurationError, match='publish_period'):
        read_settings({key: value for key, value in said.items() if key != 'publish_period'})
    with pytest.raises(ConfigurationError, match='must be one of'):
        read_settings({**said, 'smoothing_filter_plugin_name': 'Wishful'})


def test_the_output_looks_back_and_ahead_by_the_latency() -> None:
    outputs = run(make_servo(), lambda now_s: twist([0.05, 0, 0], now_s=now_s), 30)

    points, now_s = outputs[-1].points, 29 * PERIOD_S
    assert points[0].time_s == pytest.approx(now_s - SETTINGS.max_expected_latency, abs=PERIOD_S)
    assert points[-1].time_s == pytest.approx(now_s + SETTINGS.max_expected_latency - PERIOD_S)
    assert np.diff([point.time_s for point in points]) == pytest.approx(PERIOD_S)


def test_a_pause_cuts_the_output_and_the_status_off() -> None:
    servo = make_servo()
    run(servo, lambda now_s: twist([0.05, 0, 0], now_s=now_s), 20)

    servo.pause(True)
    paused = servo.tick(20 * PERIOD_S, START)
    servo.pause(False)
    after = run(servo, lambda now_s: twist([0, 0, 0], now_s=now_s), 3, START + 0.2, 21)

    assert paused.status is None
    assert not paused.points
    assert after[-1].points[-1].positions_rad == pytest.approx(START + 0.2)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_random_commands_leave_no_joint_limit_behind(seed: int) -> None:
    random, servo = np.random.default_rng(seed), make_servo(CommandType.JOINT_JOG)
    names = KINEMATICS.joint_names
    joints = random.uniform(KINEMATICS.lower_rad + 0.3, KINEMATICS.upper_rad - 0.3)
    speeds = random.uniform(-6, 6, len(names))
    for tick in range(100):
        now_s = tick * PERIOD_S
        servo.receive(JogCommand(names, tuple(speeds), now_s))
        output = servo.tick(now_s, joints)
        for point in output.points[-1:]:
            joints = point.positions_rad
            assert (np.abs(point.velocities_rad_s) < 1.01 * KINEMATICS.velocity_rad_s).all()

    assert output.status is ServoStatus.JOINT_BOUND
    # Servo begins to brake at the margin: from full speed it runs out by up to 1 rad.
    run_out = KINEMATICS.velocity_rad_s**2 / (2 * 5.0)
    assert (joints < KINEMATICS.upper_rad + run_out).all()
    assert (joints > KINEMATICS.lower_rad - run_out).all()


@pytest.mark.parametrize(
    ('obstacle', 'top_m'), [(Table(0.0), 0.0), (Sphere(0.05, (0.3, 0.0, 0.03)), 0.08)]
)
def test_an_obstacle_below_the_gripper_stops_the_way_down(obstacle, top_m: float) -> None:
    servo = make_stand_in(PROFILE, (obstacle,))
    servo.switch_command_type(CommandType.TWIST)

    outputs = run(servo, lambda now_s: twist([0, 0, -0.05], now_s=now_s), 250)

    assert outputs[-1].status is ServoStatus.DECELERATE_FOR_COLLISION
    assert KINEMATICS.forward(servo.commanded_rad).translation_m[2] > top_m
    assert np.abs(outputs[-1].points[-1].velocities_rad_s).max() < 0.03
    fastest = max(np.abs(out.points[-1].velocities_rad_s).max() for out in outputs if out.points)
    assert fastest > 0.05


def test_a_clock_that_begins_anew_ends_what_was_commanded_before() -> None:
    servo = make_servo()
    moving = run(servo, lambda now_s: twist((0.1, 0.0, 0.0), now_s=now_s), 40, begin_tick=500)
    assert moving[-1].points

    outputs = run(servo, None, 100)

    assert not any(output.points for output in outputs)


def test_a_clock_that_stands_still_moves_nothing() -> None:
    servo = make_servo()
    run(servo, lambda now_s: twist((0.1, 0.0, 0.0), now_s=now_s), 40)
    where = servo.commanded_rad
    now_s = 39 * PERIOD_S
    for _ in range(50):
        servo.receive(twist((0.1, 0.0, 0.0), now_s=now_s))
        assert not servo.tick(now_s, where).points

    assert np.array_equal(servo.commanded_rad, where)
