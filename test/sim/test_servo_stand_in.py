from __future__ import annotations

import numpy as np
import pytest

from magma_ros.data_types import Twist
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.sim.servo_stand_in import ServoSettings, ServoStandIn, ServoStatus

PROFILE = load_arm_profile('wx250s')
KINEMATICS = PROFILE.kinematics()
SETTINGS = ServoSettings()
START = np.array(PROFILE.start_joints_rad)


def linear(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Twist:
    return Twist(np.array([x, y, z]), np.zeros(3))


def run(servo: ServoStandIn, twist: Twist | None, ticks: int, joints=START, age_s: float = 0.0):
    """The last output; the arm follows at once."""
    for _ in range(ticks):
        output = servo.step(twist, age_s, joints)
        if output.positions_rad is not None:
            joints = output.positions_rad
    return output, joints


@pytest.fixture
def servo() -> ServoStandIn:
    return ServoStandIn(KINEMATICS, SETTINGS)


@pytest.mark.parametrize('axis', [0, 1, 2])
def test_a_twist_moves_the_tool_along_base_axes(servo: ServoStandIn, axis: int) -> None:
    wish = 0.1 * np.eye(3)[axis]
    _, at_speed = run(servo, Twist(wish, np.zeros(3)), 20)
    _, later = run(servo, Twist(wish, np.zeros(3)), 25, at_speed)

    before, after = KINEMATICS.forward(at_speed), KINEMATICS.forward(later)
    moved = after.translation_m - before.translation_m
    assert moved == pytest.approx(wish * 25 * SETTINGS.publish_period, abs=1e-3)


def test_a_turn_keeps_the_tool_point_in_place(servo: ServoStandIn) -> None:
    _, joints = run(servo, Twist(np.zeros(3), np.array([0.0, 0.0, 0.5])), 50)

    start, now = KINEMATICS.forward(START), KINEMATICS.forward(joints)
    assert now.translation_m == pytest.approx(start.translation_m, abs=1e-3)
    assert abs(joints[5] - START[5]) > 0.3


def test_nothing_is_published_before_the_first_command(servo: ServoStandIn) -> None:
    output = servo.step(None, 0.0, START)

    assert output.positions_rad is None
    assert output.status is ServoStatus.NO_WARNING


def test_a_stale_command_halts_smoothly_and_then_nothing_is_published(servo: ServoStandIn) -> None:
    twist = linear(x=0.1)
    moving, joints = run(servo, twist, 20)
    fast = np.abs(moving.velocities_rad_s).max()
    age_s = SETTINGS.incoming_command_timeout

    halting = servo.step(twist, age_s, joints)
    ramp = SETTINGS.joint_acceleration * SETTINGS.publish_period
    assert 0 < np.abs(moving.velocities_rad_s - halting.velocities_rad_s).max() <= ramp + 1e-12
    ticks = int(np.ceil(fast / ramp)) + 2
    last, _ = run(servo, twist, ticks, joints, age_s)

    assert last.positions_rad is None


def test_a_command_just_younger_than_the_timeout_counts(servo: ServoStandIn) -> None:
    output = servo.step(linear(x=0.1), SETTINGS.incoming_command_timeout - 1e-3, START)

    assert output.positions_rad is not None


def test_after_a_halt_the_motion_starts_from_the_measured_joints(servo: ServoStandIn) -> None:
    run(servo, linear(x=0.1), 10)
    run(servo, None, 50)
    elsewhere = START + 0.2

    output = servo.step(linear(), 0.0, elsewhere)

    assert output.positions_rad == pytest.approx(elsewhere, abs=1e-12)


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
def test_a_command_that_is_not_finite_is_refused(servo: ServoStandIn, bad: float) -> None:
    run(servo, linear(x=0.1), 20)

    refused = servo.step(linear(y=bad), 0.0, START)
    after = servo.step(linear(x=0.1), 0.0, START)

    assert refused.status is ServoStatus.INVALID
    assert refused.positions_rad is None
    ramp = SETTINGS.joint_acceleration * SETTINGS.publish_period
    assert np.abs(after.velocities_rad_s).max() <= ramp + 1e-12  # from rest again
    assert np.isfinite(after.positions_rad).all()


def test_speed_is_capped_by_its_norm(servo: ServoStandIn) -> None:
    _, joints = run(servo, linear(y=3.0), 15)
    before = KINEMATICS.forward(joints).translation_m
    _, joints = run(servo, linear(y=3.0), 5, joints)
    speed = np.linalg.norm(KINEMATICS.forward(joints).translation_m - before) / 0.1

    assert speed == pytest.approx(SETTINGS.linear_scale, rel=0.05)


def test_joint_speed_never_jumps(servo: ServoStandIn) -> None:
    random, joints, speed = np.random.default_rng(0), START, np.zeros(6)
    for _ in range(200):
        twist = Twist(random.normal(0, 0.3, 3), random.normal(0, 1.0, 3))
        output = servo.step(twist, float(random.choice([0.0, 0.2])), joints)
        if output.positions_rad is None:
            speed = np.zeros(6)
            continue
        change = np.abs(output.velocities_rad_s - speed).max()
        assert change <= SETTINGS.joint_acceleration * SETTINGS.publish_period + 1e-12
        assert (np.abs(output.velocities_rad_s) <= KINEMATICS.velocity_rad_s + 1e-9).all()
        joints, speed = output.positions_rad, output.velocities_rad_s


def towards_singularity(servo: ServoStandIn, joints=START) -> list:
    """Outputs while the arm is stretched out along base x."""
    outputs = []
    for _ in range(400):
        output = servo.step(linear(x=0.05), 0.0, joints)
        outputs.append(output)
        joints = output.positions_rad
    return outputs


def test_the_arm_slows_down_and_stops_before_a_singularity() -> None:
    servo = ServoStandIn(KINEMATICS, SETTINGS)
    outputs = towards_singularity(servo)
    statuses = [output.status for output in outputs]

    assert statuses[0] is ServoStatus.NO_WARNING
    assert ServoStatus.DECELERATE_FOR_APPROACHING_SINGULARITY in statuses
    conditions = np.array([KINEMATICS.condition(output.positions_rad) for output in outputs])
    assert conditions.max() < 1.02 * SETTINGS.hard_stop_singularity_threshold
    assert np.abs(outputs[-1].velocities_rad_s).max() < 0.02
    slow = statuses.index(ServoStatus.DECELERATE_FOR_APPROACHING_SINGULARITY)
    assert conditions[slow] > 0.9 * SETTINGS.lower_singularity_threshold


def test_at_the_hard_stop_every_direction_halts() -> None:
    servo = ServoStandIn(KINEMATICS, SETTINGS)
    singular = np.array([0.0, -1.8, 1.55, 0.0, 0.8, 0.0])  # "Sleep", condition 294

    for twist in (linear(x=0.1), linear(x=-0.1), linear(z=0.1)):
        output = servo.step(twist, 0.0, singular)
        assert output.status is ServoStatus.HALT_FOR_SINGULARITY
        assert output.velocities_rad_s == pytest.approx(np.zeros(6))


def test_leaving_a_singularity_is_allowed() -> None:
    servo = ServoStandIn(KINEMATICS, SETTINGS)
    outputs = towards_singularity(servo)
    joints = next(
        output.positions_rad
        for output in outputs
        if 45 < KINEMATICS.condition(output.positions_rad) < 75
    )
    servo.reset()

    output = servo.step(linear(x=-0.1), 0.0, joints)

    assert output.status is ServoStatus.DECELERATE_FOR_LEAVING_SINGULARITY
    assert np.abs(output.velocities_rad_s).max() > 0


def test_a_joint_at_its_bound_halts_outward_motion_only() -> None:
    margin = SETTINGS.joint_limit_margin
    joints = START.copy()
    joints[5] = KINEMATICS.upper_rad[5] - margin / 2
    turn = Twist(np.zeros(3), KINEMATICS.jacobian(joints)[3:, 5] * 0.3)

    outward = ServoStandIn(KINEMATICS, SETTINGS).step(turn, 0.0, joints)
    inward = ServoStandIn(KINEMATICS, SETTINGS).step(
        Twist(np.zeros(3), -turn.angular_rad_s), 0.0, joints
    )

    assert outward.status is ServoStatus.JOINT_BOUND
    assert outward.positions_rad == pytest.approx(joints)
    assert inward.status is ServoStatus.NO_WARNING
    assert inward.positions_rad[5] < joints[5]


def test_positions_stay_inside_the_joint_limits() -> None:
    servo = ServoStandIn(KINEMATICS, ServoSettings(joint_limit_margin=0.0))
    joints = START.copy()
    joints[5] = KINEMATICS.upper_rad[5] - 0.01
    turn = Twist(np.zeros(3), KINEMATICS.jacobian(joints)[3:, 5])

    _, joints = run(servo, turn, 50, joints)

    assert (joints <= KINEMATICS.upper_rad).all()
