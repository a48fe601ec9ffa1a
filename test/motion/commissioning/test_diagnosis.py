"""Every way in which an arm may be wired up wrongly is named, and nothing else is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mock_arm import PERIOD_S, MockArm, Wiring, exchanged, signed, yaw

from magma_ros.motion.commissioning.diagnosis import diagnose
from magma_ros.motion.commissioning.records import Kind
from magma_ros.motion.commissioning.strokes import commissioning_limits, run_strokes

ARMS = ('wx250s', 'panda')
DOF = {'wx250s': 6, 'panda': 7}


def try_out(arm):
    """The strokes of an arm, and what is found."""
    start, tip = arm.start()
    limits = commissioning_limits(arm.profile.limits, start)
    strokes = list(run_strokes(arm.exchange, arm.guard, limits, PERIOD_S))
    return strokes, diagnose(strokes, arm.profile.joint_names, tip)


def kinds_of(found):
    return {mismatch.kind for mismatch in found}


@pytest.mark.parametrize('arm', ARMS)
def test_an_arm_that_is_right_passes(arm):
    mock = MockArm(arm, Wiring(noise_rad=0.0015))

    strokes, found = try_out(mock)

    assert found == ()
    assert [stroke.name for stroke in strokes[:4]] == ['rest', 'hold', '+x', '-x']
    assert len(strokes) == 14
    assert mock.fastest <= 0.0201  # m/s
    for stroke in strokes[2:]:
        assert np.abs(stroke.sent).max() <= 0.0873 + 1e-9


WIRINGS = {
    'base turned 90': (Wiring(turn=yaw(90)), Kind.BASE_FRAME),
    'base turned -90': (Wiring(turn=yaw(-90)), Kind.BASE_FRAME),
    'base turned 180': (Wiring(turn=yaw(180)), Kind.BASE_FRAME),
    'base turned 35': (Wiring(turn=yaw(35)), Kind.BASE_FRAME),
    'tool axes': (Wiring(in_tool_axes=True), Kind.TOOL_FRAME),
    'x backwards': (Wiring(turn=np.diag([-1.0, 1, 1])), Kind.AXIS_SIGN),
    'y backwards': (Wiring(turn=np.diag([1.0, -1, 1])), Kind.AXIS_SIGN),
    'z backwards': (Wiring(turn=np.diag([1.0, 1, -1])), Kind.AXIS_SIGN),
    'unitless twists': (Wiring(scale=0.15), Kind.MOTION_UNIT),
    'too fast': (Wiring(scale=1.8), Kind.MOTION_UNIT),
    'mm for m': (Wiring(scale=1000.0), Kind.MOTION_UNIT),
    'm for mm': (Wiring(scale=0.001), Kind.ARM_STILL),
    'another tip': (Wiring(lever_m=(0.0, 0.0, 0.1)), Kind.TIP),
    'torque off': (Wiring(torque=False), Kind.ARM_STILL),
    'another arm': (Wiring(moves_other=True), Kind.OTHER_ARM),
    'other topic': (Wiring(torque=False, is_heard=False), Kind.SERVO_SILENT),
    'somebody pushes': (Wiring(drift_rad_s=0.1), Kind.RESTLESS),
}


@pytest.mark.parametrize('arm', ARMS)
@pytest.mark.parametrize('name', WIRINGS)
def test_a_wrong_frame_unit_or_wire_is_named(name, arm):
    wiring, kind = WIRINGS[name]

    _, found = try_out(MockArm(arm, wiring))

    assert kinds_of(found) == {kind}, found


@pytest.mark.parametrize('arm', ARMS)
def test_servo_that_is_not_heard_does_not_matter(arm):
    assert try_out(MockArm(arm, Wiring(is_heard=False)))[1] == ()


@pytest.mark.parametrize(('arm', 'joint'), [(arm, j) for arm in ARMS for j in range(DOF[arm])])
def test_a_joint_that_does_not_move_is_named(arm, joint):
    mock = MockArm(arm, Wiring(stuck=(joint,)))

    _, found = try_out(mock)

    assert kinds_of(found) == {Kind.JOINT_STUCK}, found
    assert [m.text.split()[0] for m in found] == [mock.profile.joint_names[joint]]


@pytest.mark.parametrize(('arm', 'joint'), [(arm, j) for arm in ARMS for j in range(DOF[arm])])
def test_a_joint_with_the_wrong_sign_is_named(arm, joint):
    mock = MockArm(arm, Wiring(report=signed(DOF[arm], joint)))

    _, found = try_out(mock)

    assert kinds_of(found) == {Kind.JOINT_SIGN}, found
    assert mock.profile.joint_names[joint] in found[0].text


PAIRS = [
    (a, i, j) for a in ARMS for i in range(DOF[a]) for j in range(i) if a == 'wx250s' or i - j < 3
]


@pytest.mark.parametrize(('arm', 'one', 'other'), PAIRS)
def test_names_that_are_exchanged_are_named(arm, one, other):
    mock = MockArm(arm, Wiring(report=exchanged(DOF[arm], one, other)))

    _, found = try_out(mock)

    assert kinds_of(found) == {Kind.JOINT_ORDER}, found
    text = ' '.join(mismatch.text for mismatch in found)
    assert all(mock.profile.joint_names[j] in text for j in (one, other))


@pytest.mark.parametrize('arm', ARMS)
def test_degrees_are_named_by_motion_too(arm):
    """Where the numbers alone do not give them away, an arm near zero."""
    mock = MockArm(arm)
    strokes, _ = try_out(mock)
    degrees = [
        replace(
            stroke,
            after=replace(
                stroke.after,
                joints_rad=stroke.before.joints_rad + np.degrees(stroke.joints_moved_rad),
            ),
        )
        for stroke in strokes
    ]

    found = diagnose(degrees, mock.profile.joint_names, mock.start()[1])

    assert kinds_of(found) == {Kind.JOINT_UNIT}


@settings(deadline=None, max_examples=8)
@given(
    degrees=st.floats(20, 160).flatmap(lambda d: st.sampled_from([d, -d])),
    arm=st.sampled_from(ARMS),
    noise_rad=st.floats(0.0, 0.0015),
)
def test_any_turn_of_the_base_is_found(degrees, arm, noise_rad):
    mock = MockArm(arm, Wiring(turn=yaw(degrees), noise_rad=noise_rad))

    _, found = try_out(mock)

    assert kinds_of(found) == {Kind.BASE_FRAME}, found


@pytest.mark.parametrize('scale', [5.0, 50.0, 1000.0])
def test_unexpected_motion_ends_the_strokes_at_once(scale):
    strokes, _ = try_out(MockArm('wx250s', Wiring(scale=scale)))

    assert strokes[-1].name == '+x'
    assert strokes[-1].surprise
    assert not any(stroke.surprise for stroke in strokes[:-1])


@pytest.mark.parametrize('arm', ARMS)
def test_an_axis_without_room_is_not_taken_for_right(arm):
    mock = MockArm(arm)
    joints = np.array(mock.profile.start_joints_rad)
    joints[0] = mock.kinematics.upper_rad[0] - mock.profile.joint_margin_rad

    _, found = try_out(MockArm(arm, start_rad=joints))

    assert kinds_of(found) == {Kind.AXIS_BLOCKED}
    assert '+' in found[0].text or '-' in found[0].text
