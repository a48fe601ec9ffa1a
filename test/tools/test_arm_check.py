"""The whole of ``magma arm-check`` against a mock arm: when it moves, and what it says."""

import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from mock_arm import PERIOD_S, MockArm, Wiring, signed

pytest.importorskip('rclpy')

from rich.console import Console  # noqa: E402

from magma_ros.data_types import ArmState  # noqa: E402
from magma_ros.errors import ArmError, ConfigurationError  # noqa: E402
from magma_ros.robot.arm_profile import load_arm_profile  # noqa: E402
from magma_ros.rotations import pose_from_matrix  # noqa: E402
from magma_ros.tools import arm_check, record_box  # noqa: E402
from magma_ros.tools.arm_check import check_arm  # noqa: E402

ARMS = ('wx250s', 'panda')


class FakeLink:
    """An ArmLink without ROS, with a mock arm behind it."""

    def __init__(self, arm, wiring=None, fingers=None):
        self._arm, self.profile = (
            MockArm(arm, wiring),
            replace(load_arm_profile(arm), box_recorded=True),
        )
        self._fingers = fingers or (lambda finger_m: finger_m)
        kinematics = self._arm.kinematics
        joints = self._arm.exchange(None).joints_rad
        self.finger_m = self._fingers(self.profile.finger_open_m)
        self.sent = self.brakes = 0
        self.stops_after = None
        self.has_rival, self.is_servo_ready = False, True
        tip = pose_from_matrix(kinematics.matrix(joints, self.profile.tip_link))
        self.heard = SimpleNamespace(
            reading=SimpleNamespace(kinematics=kinematics, good_s=lambda now_s: 2.0),
            positions={
                **dict(zip(self.profile.joint_names, joints.tolist(), strict=True)),
                self.profile.gripper_joint: self.finger_m,
            },
            urdf=None,
            tip_by_transforms=tip,
            clock_skew_s=0.0,
            is_simulated=False,
            is_estop_heard=True,
            is_estop_released=True,
            read=self._state,
            arm_state=self._state,
        )

    def _state(self):
        joints = self._arm.exchange(None).joints_rad
        pose = self._arm.kinematics.forward(joints)
        return ArmState(joints, 0 * joints, pose, 1.0, 0)

    def listen(self, duration_s, is_done=lambda: False):
        return is_done()

    def exchange(self, twist):
        self.sent += twist is not None
        if self.stops_after is not None and self.sent > self.stops_after:
            raise ArmError('the emergency stop was pressed')
        return self._arm.exchange(twist)

    def grip(self, opening):
        ends = (self.profile.finger_closed_m, self.profile.finger_open_m)
        self.sent += 1
        return self._fingers(ends[round(opening)]), None

    def brake(self):
        self.brakes += 1


@pytest.fixture(autouse=True)
def _coarse_period(monkeypatch):
    monkeypatch.setattr(arm_check, 'PERIOD_S', PERIOD_S)


def check(link, answers=(), only_look=False):
    """The report, what was printed, and what was asked."""
    answers, asked = list(answers), []

    def ask(question):
        asked.append(question)
        return answers.pop(0)

    console = Console(file=io.StringIO(), width=200)
    report = check_arm(link, console, only_look, ask)
    arm_check.print_verdict(report, console)
    return report, console.file.getvalue(), asked


@pytest.mark.parametrize('arm', ARMS)
def test_an_arm_that_is_right(arm):
    report, text, asked = check(FakeLink(arm), ['yes', '', 'y', 'Y'])

    assert report.is_right
    assert f'moves as the profile {arm} says' in text
    assert 'emergency stop' in asked[0]
    assert len(asked) == 4


@pytest.mark.parametrize('arm', ARMS)
def test_what_is_wrong_is_named_and_the_gripper_stays(arm):
    link = FakeLink(arm, Wiring(turn=np.diag([1.0, -1.0, 1.0])))

    report, text, _ = check(link, ['yes', '', '', ''])

    assert not report.is_right
    assert report.gripper_m is None
    assert 'sign of an axis: moving the tool: it goes backwards in y' in text


@pytest.mark.parametrize('arm', ARMS)
def test_an_exchanged_gripper_is_named(arm):
    profile = load_arm_profile(arm)
    turned = profile.finger_open_m + profile.finger_closed_m

    report, text, _ = check(FakeLink(arm, fingers=lambda f: turned - f), ['yes', '', '', ''])

    assert [mismatch.kind.value for mismatch in report.mismatches] == ['gripper polarity']
    assert not report.is_right


def test_a_person_sees_what_joint_states_do_not_show():
    report, text, _ = check(FakeLink('wx250s'), ['yes', '', 'n', ''])

    assert not report.is_right
    assert 'you saw +y go elsewhere' in text


def test_a_jump_ends_it_before_any_axis_is_tried():
    link = FakeLink('wx250s', Wiring(report=signed(6, 2)))

    report, text, asked = check(link, ['yes'])

    assert [stroke.name for stroke in report.strokes] == ['rest', 'hold']
    assert 'elbow has the wrong sign' in text


@pytest.mark.parametrize('answer', ['', 'no', 'y', 'YES'])
def test_only_a_typed_yes_moves_the_arm(answer):
    link = FakeLink('wx250s')

    report, text, _ = check(link, [answer])

    assert link.sent == 0
    assert not report.is_right
    assert 'not confirmed' in text


def test_looking_moves_nothing_and_asks_nothing():
    link = FakeLink('wx250s')

    report, _, asked = check(link, only_look=True)

    assert link.sent == 0
    assert not asked
    assert not report.is_right


def test_nobody_may_be_absent_from_a_real_arm():
    link = FakeLink('wx250s')

    with pytest.raises(ConfigurationError, match='a person must watch'):
        check_arm(link, Console(file=io.StringIO()), False, None)

    assert link.sent == 0


def break_estop(link):
    link.heard.is_estop_released = False


def break_servo(link):
    link.is_servo_ready = False


def break_rival(link):
    link.has_rival = True


def break_transforms(link):
    link.heard.tip_by_transforms = None


def break_clock(link):
    link.heard.clock_skew_s = 1.0


def break_finger(link):
    link.heard.positions[link.profile.gripper_joint] *= 1000


def break_joint(link):
    del link.heard.positions[link.profile.joint_names[2]]


@pytest.mark.parametrize(
    ('breaks', 'named'),
    [
        (break_estop, 'emergency_stop'),
        (break_servo, 'servo'),
        (break_rival, 'only_publisher'),
        (break_transforms, 'kinematics'),
        (break_clock, 'clock'),
        (break_finger, 'gripper unit'),
        (break_joint, 'missing joint'),
    ],
)
@pytest.mark.parametrize('arm', ARMS)
def test_nothing_moves_before_the_checks_pass(breaks, named, arm):
    link = FakeLink(arm)
    breaks(link)

    report, text, asked = check(link)

    assert link.sent == 0
    assert not asked
    assert not report.is_right
    assert named in text


def test_a_box_that_was_not_recorded_bars_no_motion_but_is_not_right():
    link = FakeLink('wx250s')
    link.profile = replace(link.profile, box_recorded=False)

    report, text, _ = check(link, ['yes', '', '', ''])

    assert report.gripper_m is not None
    assert not report.is_right
    assert 'To put right: workspace_box' in text


@pytest.mark.parametrize('after', [0, 3, 60])
def test_whatever_stops_the_arm_stops_everything(after):
    link = FakeLink('wx250s')
    link.stops_after = after

    report, text, _ = check(link, ['yes', '', '', ''])

    assert link.brakes == 1
    assert link.sent == after + 1
    assert 'Stopped: the emergency stop was pressed' in text


def record(tmp_path, places_m, lines):
    """Record a box: a corner at each place."""
    path, places, lines = tmp_path / 'table.yaml', iter(places_m), iter(lines)
    link = FakeLink('wx250s')
    state = link.heard.read()

    def arm_state():
        pose = replace(state.pose_gripper_in_base, translation_m=np.array(next(places)))
        return replace(state, pose_gripper_in_base=pose)

    link.heard.arm_state = arm_state
    console = Console(file=io.StringIO(), width=120)
    record_box.record_box(link, path, console, lambda: next(lines))
    assert link.sent == 0
    return load_arm_profile(str(path)), console.file.getvalue()


def test_corners_become_the_box_of_an_overlay(tmp_path):
    low, high, wrong = (0.15, -0.2, 0.02), (0.42, 0.15, 0.25), (0.5, 0.5, 0.5)

    profile, text = record(
        tmp_path, [low, low, wrong, wrong, high, high], [None, '', '', 'undo', '', 'done']
    )

    assert profile.box_recorded
    assert profile.limits.box_min_m == pytest.approx((0.16, -0.19, 0.03))
    assert profile.limits.box_max_m == pytest.approx((0.41, 0.14, 0.24))
    assert '2 corners' in text


@pytest.mark.parametrize(
    ('places', 'complaint'),
    [
        ([(0.2, 0.0, 0.1)] * 2, '1 corners; at least 2'),
        ([(0.2, 0.0, 0.1), (0.22, 0.2, 0.3), (0.2, 0.0, 0.1)], 'along x it must be'),
    ],
)
def test_a_box_of_no_use_is_not_written(tmp_path, places, complaint):
    lines = [''] * (len(places) - 1) + ['done']

    with pytest.raises(ConfigurationError, match=complaint):
        record(tmp_path, places, lines)

    assert not (tmp_path / 'table.yaml').exists()
