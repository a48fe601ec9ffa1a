"""What a planned trajectory may be: pure checks over messages."""

import numpy as np
import pytest

pytest.importorskip('rclpy')

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint  # noqa: E402

from magma_ros.data_types import Pose  # noqa: E402
from magma_ros.errors import ArmError  # noqa: E402
from magma_ros.robot.arm_profile import load_arm_profile  # noqa: E402
from magma_ros.ros.planned_trajectory import (  # noqa: E402
    HERE_RAD,
    duration_s,
    make_executable,
)
from magma_ros.ros.time_stamps import duration_from_s, duration_to_s  # noqa: E402

pytestmark = pytest.mark.ros
PROFILE = load_arm_profile('wx250s')
START = np.array(PROFILE.start_joints_rad)


def trajectory(positions, times_s, velocities=None, names=PROFILE.joint_names):
    points = [
        JointTrajectoryPoint(positions=list(place), time_from_start=duration_from_s(time_s))
        for place, time_s in zip(positions, times_s, strict=True)
    ]
    for point, speed in zip(points, () if velocities is None else velocities, strict=False):
        point.velocities = list(speed)
    return JointTrajectory(joint_names=list(names), points=points)


def waist(*angles_rad):
    return START + np.outer(angles_rad, np.eye(6)[0])


@settings(deadline=None, max_examples=25)
@given(duration=st.floats(0.01, 5.0), way=st.floats(0.001, 0.3), has_speeds=st.booleans())
def test_nothing_is_faster_than_the_profile_and_all_ends_at_rest(duration, way, has_speeds):
    times_s = np.linspace(0.0, duration, 5)
    u = times_s / duration
    speeds = np.outer(way * (6 * u - 6 * u**2) / duration, np.eye(6)[0]) if has_speeds else None
    plan = trajectory(waist(*(way * (3 * u**2 - 2 * u**3))), times_s, speeds)

    done = make_executable(plan, PROFILE, START)

    velocities = np.array([point.velocities for point in done.points])
    positions = np.array([point.positions for point in done.points])
    assert np.abs(velocities).max() <= PROFILE.joint_speed_rad_s[0] + 1e-9
    assert not velocities[-1].any()
    times_s = [p.time_from_start.sec + p.time_from_start.nanosec * 1e-9 for p in done.points]
    between = np.abs(np.diff(positions, axis=0)) / np.diff(times_s)[:, None]
    assert between.max() <= PROFILE.joint_speed_rad_s[0] * 1.0001
    np.testing.assert_allclose(positions[-1], START + way * np.eye(6)[0])
    assert duration_s(done) >= duration - 1e-6


def test_accelerations_are_slowed_down_with_the_square():
    plan = trajectory(waist(0.0, 0.1), [0.0, 1.0], np.zeros((2, 6)))
    for point in plan.points:
        point.accelerations = [20.0] * 6  # four times the profile's

    done = make_executable(plan, PROFILE, START)

    assert duration_s(done) == pytest.approx(2.0)
    assert not any(point.accelerations for point in done.points), 'the controller plays cubics'


@settings(deadline=None, max_examples=25)
@given(way=st.floats(-0.049, 0.049), at_s=st.floats(0.0, 0.5))
def test_the_way_to_the_first_point_takes_its_time_too(way, at_s):
    plan = trajectory(waist(0.0, 0.1), [at_s, at_s + 1.0])
    measured = START - way * np.eye(6)[0]

    done = make_executable(plan, PROFILE, measured)

    first, second = done.points[:2]
    if abs(way) <= HERE_RAD:
        assert list(first.positions) == pytest.approx(START)
        return
    np.testing.assert_allclose(first.positions, measured)
    np.testing.assert_allclose(second.positions, START)
    assert duration_to_s(first.time_from_start) == 0.0
    mean = abs(way) / duration_to_s(second.time_from_start)
    assert 1.5 * mean <= PROFILE.joint_speed_rad_s[0] * 1.0001


def test_a_first_point_at_once_is_not_jumped_to():
    plan = trajectory(waist(0.0, 0.1), [0.0, 1.0])

    done = make_executable(plan, PROFILE, START - 0.049 * np.eye(6)[0])

    strongest = PROFILE.joint_acceleration_rad_s2[0]
    assert duration_to_s(done.points[1].time_from_start) >= np.sqrt(6 * 0.049 / strongest) - 1e-6


def test_joints_come_in_the_order_of_the_profile():
    places = waist(0.0, 0.1)[:, ::-1]
    plan = trajectory(places, [0.0, 1.0], names=PROFILE.joint_names[::-1])

    done = make_executable(plan, PROFILE, START)

    assert tuple(done.joint_names) == PROFILE.joint_names
    assert done.points[1].positions[0] == pytest.approx(0.1)


def test_the_tool_keeps_its_speed_and_every_step_is_looked_at():
    kinematics = PROFILE.kinematics()
    home = kinematics.forward(START)
    below = Pose(home.translation_m - [0.0, 0.0, 0.145], home.quaternion_xyzw)  # 5 mm high
    low = kinematics.inverse(below, START)
    fast = trajectory(waist(0.0, 0.3, 0.6), [0.0, 0.3, 0.6])

    slow = make_executable(fast, PROFILE, START)

    assert duration_s(slow) > 0.6 * 0.3 / PROFILE.limits.speed_m_s
    with pytest.raises(ArmError, match=r'on its way .* \(leaves the box after .* m\)'):
        make_executable(trajectory([START, low, START], [0.0, 3.0, 6.0]), PROFILE, START)


MOVING = np.array([np.zeros(6), np.full(6, 0.2)])


@pytest.mark.parametrize(
    ('plan', 'message'),
    [
        (trajectory(waist(0.0, 0.1), [0.0, 1.0], MOVING), 'ends at 0.200 rad/s instead of at'),
        (trajectory(waist(0.0, np.nan), [0.0, 1.0]), 'positions that are not finite'),
        (trajectory(waist(0.0, 0.1), [0.0, 1.0], MOVING * np.nan), 'velocities that are not'),
        (trajectory(waist(0.0, 0.1), [1.0, 1.0]), 'not in order of time'),
        (trajectory(waist(0.0, 3.2), [0.0, 9.0]), 'limits of joint waist'),
        (trajectory(waist(0.06, 0.1), [0.0, 1.0]), '0.060 rad from where the arm is'),
        (trajectory(waist(0.0, 0.7), [0.0, 9.0]), 'jumps by 0.70 rad'),
        (trajectory(waist(0.0, 0.1)[:, :5], [0.0, 1.0]), 'lacks positions'),
        (trajectory(waist(0.0, 0.1), [0.0, 1.0], names='abcdef'), 'trajectory for'),
    ],
)
def test_what_may_not_be_executed_is_refused(plan, message):
    with pytest.raises(ArmError, match=message):
        make_executable(plan, PROFILE, START)
