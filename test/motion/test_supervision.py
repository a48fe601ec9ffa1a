"""Small pure parts of the safety core: silence, buttons, switches, clocks, causes."""

from __future__ import annotations

import math

import pytest

from magma_ros.motion.causes import CAUSE_RULES, Cause, Severity, reported_cause
from magma_ros.motion.clock_watch import ClockWatch
from magma_ros.motion.confirmation import Confirmation
from magma_ros.motion.deadman import DeadmanSwitch
from magma_ros.motion.reason_codes import Reason
from magma_ros.motion.supervision import (
    LINGER_S,
    Demands,
    Watch,
    find_silences,
    read_causes,
    write_causes,
)

CONTROLLER = Watch(Reason.HEARTBEAT_CONTROLLER, 0.1, 0.2)
ESTOP = Watch(Reason.ESTOP, None, estop_s=0.3)


@pytest.mark.parametrize(
    ('age_s', 'severity'),
    [(0.09, None), (0.11, Severity.HOLD), (0.21, Severity.STOP), (math.nan, Severity.STOP)],
)
def test_silence_becomes_worse(age_s: float, severity: Severity | None) -> None:
    causes = find_silences({CONTROLLER.reason: age_s}, (CONTROLLER,))
    assert [cause.severity for cause in causes] == ([] if severity is None else [severity])


def test_what_was_never_heard_is_silent() -> None:
    assert find_silences({}, (CONTROLLER, ESTOP)) == (
        Cause(Reason.HEARTBEAT_CONTROLLER, Severity.STOP),
        Cause(Reason.ESTOP, Severity.ESTOP),
    )


def test_a_demand_lingers_so_that_a_sleeping_controller_hears_it() -> None:
    cause = Cause(Reason.HEARTBEAT_CONTROLLER, Severity.STOP)
    demands = Demands().renew((cause,), 10.0).renew((), 10.5)
    assert demands.causes == (cause,)
    assert demands.renew((), 10.01 + LINGER_S).causes == ()


def test_causes_travel_as_text_and_nonsense_holds() -> None:
    causes = (Cause(Reason.ESTOP, Severity.ESTOP), Cause(Reason.TF, Severity.HOLD))
    assert read_causes(write_causes(causes)) == causes
    hold = Cause(Reason.UNKNOWN_INPUT, Severity.HOLD)
    assert read_causes('TF:GO NONSENSE:STOP ACTION_DIMS:HOLD TF') == (hold,) * 4
    assert read_causes('') == ()


def test_nobody_reports_more_than_he_may() -> None:
    assert reported_cause('JOINTS_STALE', Severity.HOLD, Severity.STOP).severity is Severity.HOLD
    slow = reported_cause('CAMERA_SLOW', Severity.HOLD, Severity.DEGRADED)
    assert slow == Cause(Reason.CAMERA_SLOW, Severity.DEGRADED)


def test_every_rule_is_complete() -> None:
    for reason, rule in CAUSE_RULES.items():
        assert rule.severities == tuple(sorted(rule.severities)), reason.name
        assert rule.clears
        latches = rule.severities[0] >= Severity.STOP
        assert not (latches and (rule.allows_takeover or rule.may_resume)), reason.name


def test_a_confirmation_is_of_this_nonce_and_without_a_gap() -> None:
    button = Confirmation().hear('a-1', 1.0).hear('a-1', 1.2).hear('a-1', 1.4)
    assert button.held_s('a-1', 1.5) == pytest.approx(0.5)
    assert button.held_s('a-2', 1.5) is None
    assert button.held_s('a-1', 1.8) is None
    assert button.hear('a-1', 1.8).held_s('a-1', 1.9) == pytest.approx(0.1)
    assert button.hear('a-2', 1.5).held_s('a-2', 1.6) == pytest.approx(0.1)
    assert Confirmation().hear('', 1.0).held_s('', 1.0) is None


def test_only_letting_go_and_pressing_again_is_a_new_press() -> None:
    switch = DeadmanSwitch()
    assert (switch.age_s(5.0), switch.held_s(5.0)) == (None, None)
    assert switch.hear(True, 5.0).held_s(6.0) == math.inf  # pressed since before we listened
    pressed = switch.hear(False, 1.0).hear(True, 2.0).hear(True, 9.0)
    assert (pressed.age_s(10.0), pressed.held_s(10.0)) == (1.0, 8.0)
    assert pressed.hear(False, 10.0).held_s(10.0) is None


@pytest.mark.parametrize(
    ('later_s', 'ros_s', 'jumps'),
    [
        (0.02, 0.02, False),
        (1.0, 1.0, False),  # the process was stopped: both clocks went on
        (1.0, 0.0, False),  # a paused /clock
        (0.02, 0.5, False),
        (0.02, 0.53, True),
        (0.02, -0.04, False),
        (0.02, -0.06, True),
        (0.02, 3600.0, True),
    ],
)
def test_jumps_of_the_ros_clock(later_s: float, ros_s: float, jumps: bool) -> None:
    watch = ClockWatch()
    assert not watch.note(5.0, 10**18)
    assert watch.note(5.0 + later_s, 10**18 + round(ros_s * 1e9)) is jumps
    assert (watch.jumped_s is not None) is jumps
