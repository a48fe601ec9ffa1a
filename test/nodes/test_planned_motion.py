"""One planned motion with a servo, a planner and an arm that do as the test says."""

from __future__ import annotations

import logging
import threading

import numpy as np
import pytest

pytest.importorskip('rclpy')

from magma_ros.errors import ArmError, EnvironmentMissing  # noqa: E402
from magma_ros.motion.modes import PlannedEnd  # noqa: E402
from magma_ros.nodes import planned_motion  # noqa: E402
from magma_ros.nodes.planned_motion import PlannedMotion  # noqa: E402
from magma_ros.robot.arm_profile import load_arm_profile  # noqa: E402

PROFILE = load_arm_profile('wx250s')
HOME = np.array(PROFILE.start_joints_rad)
PATIENCE_S = 30.0


class Rig:
    """Servo, planner and arm in one, with a record of what was done in which order."""

    def __init__(self) -> None:
        self.calls, self.joints, self.arrives = [], HOME + 0.2, True
        self.is_paused, self.is_ready = False, True
        self.planning, self.may_plan = threading.Event(), threading.Event()
        self.may_plan.set()
        self.executing, self.may_end = threading.Event(), threading.Event()
        self.may_end.set()
        self.error: Exception | None = None
        self.is_there, self.has_agreed, self.agrees = True, False, True
        self.motion = PlannedMotion(PROFILE, self, lambda: self.joints, self, logging.getLogger())

    def go(self, begun_s: float = 5.0) -> None:
        self.motion.begin('home', lambda: self, begun_s)

    def end(self) -> PlannedEnd:
        assert self.motion._ended.wait(PATIENCE_S)
        return self.motion.end

    def pause(self) -> None:
        self.calls.append('pause')
        self.is_paused, self.is_ready = True, False

    def resume(self) -> None:
        self.calls.append('resume')
        self.is_paused, self.is_ready = False, True

    def apply_scene(self, boxes) -> None:
        self.calls.append(f'{len(boxes)} boxes')

    def plan_to_joints(self, joints_rad) -> str:
        self.calls.append('plan')
        self.planning.set()
        assert self.may_plan.wait(PATIENCE_S)
        assert joints_rad == pytest.approx(HOME)
        return 'trajectory'

    def execute(self, trajectory) -> None:
        self.calls.append(trajectory)
        self.executing.set()
        assert self.may_end.wait(PATIENCE_S)
        if self.error is not None:
            raise self.error
        if self.arrives:
            self.joints = HOME

    def stop(self) -> None:
        self.calls.append('stop')

    def forget(self) -> None:
        self.calls.append('forget')
        self.has_agreed = False

    def cancel_all(self) -> None:
        self.calls.append('cancel all')
        self.has_agreed = self.agrees


@pytest.fixture
def rig(monkeypatch) -> Rig:
    monkeypatch.setattr(planned_motion, 'SETTLE_S', 0.1)
    return Rig()


def test_servo_is_silent_from_before_the_plan_until_after_the_arrival(rig: Rig) -> None:
    assert not rig.motion.is_running
    rig.go()

    assert rig.end() == PlannedEnd(5.0, True)
    assert rig.calls == ['pause', '5 boxes', 'plan', 'trajectory', 'resume']
    assert rig.motion.text == 'arrived at home'
    assert not rig.motion.is_running


def test_an_arm_that_is_elsewhere_has_not_arrived(rig: Rig) -> None:
    rig.arrives = False
    rig.go()

    assert rig.end() == PlannedEnd(5.0, False)
    assert rig.motion.text == 'the arm is not at home though its trajectory is over'
    assert rig.is_ready


@pytest.mark.parametrize('error', [ArmError('no plan'), ZeroDivisionError('a bug')])
@pytest.mark.filterwarnings('ignore::pytest.PytestUnhandledThreadExceptionWarning')
def test_whatever_goes_wrong_servo_goes_on_and_the_end_is_known(
    rig: Rig, error: Exception, monkeypatch
) -> None:
    def fail(_) -> None:
        raise error

    monkeypatch.setattr(rig, 'plan_to_joints', fail)
    rig.go()

    assert rig.end() == PlannedEnd(5.0, False)
    assert rig.calls[-1] == 'resume'


def test_what_is_stopped_while_it_is_planned_is_never_executed(rig: Rig) -> None:
    rig.may_plan.clear()
    rig.go()
    assert rig.planning.wait(PATIENCE_S)
    rig.motion.stop()
    assert rig.motion.is_running
    rig.may_plan.set()

    assert rig.end() == PlannedEnd(5.0, False)
    assert 'trajectory' not in rig.calls
    assert 'stop' in rig.calls
    rig.go(6.0)
    assert rig.end() == PlannedEnd(6.0, True), 'the next one may'


def test_each_tick_that_stops_cancels_all_goals_of_the_arm_first(rig: Rig) -> None:
    rig.motion.stop()
    assert not rig.calls, 'nothing is under way'
    rig.may_end.clear()
    rig.go()
    assert rig.executing.wait(PATIENCE_S)
    rig.motion.stop()
    rig.motion.stop()

    assert rig.calls[-4:] == ['cancel all', 'stop'] * 2
    rig.may_end.set()
    rig.end()


def test_a_motion_whose_planner_has_died_runs_until_the_arm_says_it_is_cancelled(
    rig: Rig,
) -> None:
    rig.error, rig.agrees = ArmError('execute_trajectory did not answer'), False
    rig.go()
    assert not rig.motion._ended.wait(0.5), (
        'longer than a planner that nobody serves is waited for'
    )
    assert rig.calls.count('cancel all') > 1
    assert 'resume' not in rig.calls, 'two would command the arm'
    rig.agrees = True

    assert rig.end() == PlannedEnd(5.0, False)
    assert rig.calls[3:5] == ['trajectory', 'forget']
    assert rig.calls[-1] == 'resume'


def test_a_trajectory_controller_that_is_gone_is_not_waited_for(rig: Rig) -> None:
    rig.error, rig.agrees, rig.is_there = ArmError('nobody serves it'), False, False
    rig.go()

    assert rig.end() == PlannedEnd(5.0, False)


def test_who_leaves_cancels_more_than_once_for_a_goal_that_was_just_sent(rig: Rig) -> None:
    rig.may_end.clear()
    rig.go()
    assert rig.executing.wait(PATIENCE_S)
    rig.motion.close()

    assert rig.calls.count('cancel all') == planned_motion.LAST_REQUESTS
    rig.may_end.set()
    rig.end()
    rig.calls.clear()
    rig.motion.close()
    assert not rig.calls


@pytest.mark.parametrize(
    ('error', 'text'),
    [
        (EnvironmentMissing('there is no move_group'), 'there is no move_group'),
        (ZeroDivisionError('a bug'), "ZeroDivisionError('a bug')"),
    ],
)
def test_without_a_planner_it_has_ended_before_it_began(
    rig: Rig, error: Exception, text: str
) -> None:
    def find() -> None:
        raise error

    rig.motion.begin('home', find, 5.0)

    assert rig.end() == PlannedEnd(5.0, False)
    assert rig.motion.text == text
