"""The judge acquits a good stop and nothing else."""

import math
from dataclasses import replace

import numpy as np
import pytest

from magma_ros.data_types import MotionLimits
from magma_ros.faults.verdict import Bounds, Envelope, Trace, judge

PERIOD_S, FAULT_S = 0.005, 1.0
ENVELOPE = Envelope(MotionLimits(), np.full(6, -3.0), np.full(6, 3.0), np.full(6, 1.25))
BOUNDS = Bounds(brake_s=0.06, rest_s=0.21, travel_m=0.03, stays_at_rest=True)


def stop_after(delay_s=0.04, brake_m_s2=2.0, speed_m_s=0.12, seconds=2.0):
    """An arm at speed that begins to brake some time after the fault."""
    times = np.arange(0.0, seconds, PERIOD_S)
    speeds = np.clip(speed_m_s - brake_m_s2 * (times - FAULT_S - delay_s), 0.0, speed_m_s)
    y = -0.15 + np.cumsum(speeds) * PERIOD_S
    tips = np.column_stack([np.full(len(y), 0.3), y, np.full(len(y), 0.15)])
    return Trace(times, tips, tips.copy(), np.zeros((len(times), 6)))


def complaints(trace, bounds=BOUNDS, fault_s=FAULT_S):
    return '; '.join(judge(trace, ENVELOPE, fault_s, bounds).complaints)


def test_a_good_stop_is_acquitted_and_timed():
    found = judge(stop_after(), ENVELOPE, FAULT_S, BOUNDS)

    assert found.complaints == ()
    assert found.violations == {}
    assert found.brake_s == pytest.approx(0.045, abs=0.01)
    assert found.rest_s == pytest.approx(0.10, abs=0.012)
    assert found.travel_m == pytest.approx(0.0084, abs=0.001)
    assert found.speed_at_fault_m_s == pytest.approx(0.12, abs=0.001)
    assert found.shift_m[1] == pytest.approx(found.travel_m)


@pytest.mark.parametrize(
    ('trace', 'said'),
    [
        (stop_after(delay_s=0.1), 'braked after'),
        (stop_after(brake_m_s2=0.5), 'at rest after'),
        (stop_after(delay_s=math.inf), 'braked after s inf'),
        (stop_after(delay_s=0.3), 'travelled m'),
    ],
)
def test_a_late_stop_is_not(trace, said):
    assert said in complaints(trace)


def test_motion_after_the_rest_is_a_restart():
    trace = stop_after()
    again = trace.times_s > 1.6
    trace.tips_m[again, 1] += np.linspace(0.0, 0.02, again.sum())

    found = judge(trace, ENVELOPE, FAULT_S, BOUNDS)

    assert found.restarts == 1
    assert 'moved again 1 times' in found.complaints[-1]
    assert not complaints(trace, replace(BOUNDS, stays_at_rest=False))


def test_creeping_is_no_rest():
    trace = stop_after()
    trace.tips_m[:, 1] += 0.002 * trace.times_s

    assert 'at rest after s inf' in complaints(trace)


@pytest.mark.parametrize(
    ('axis', 'value', 'said'),
    [(2, 0.0190, 'out of the box'), (2, 0.3010, 'out of the box'), (0, 0.4510, 'out of the box')],
)
def test_every_wall_of_the_box_counts(axis, value, said):
    trace = stop_after()
    trace.tips_m[:, axis] = value

    assert said in complaints(trace)


def test_half_a_millimetre_is_forgiven():
    trace = stop_after()
    trace.tips_m[:, 2] = 0.0196

    assert complaints(trace) == ''


def test_speed_joints_jumps_and_numbers_are_judged():
    jumping = stop_after()
    jumping.tips_m[100:, 0] += 0.003
    bent = stop_after()
    bent.joints_rad[:, 3] = 3.01
    spinning = stop_after()
    spinning.joints_rad[:, 3] = np.clip(1.4 * (spinning.times_s - 0.5), 0.0, 0.3)
    blind = stop_after()
    blind.joints_rad[50, 1] = math.nan

    assert 'too fast' in complaints(stop_after(speed_m_s=0.17))
    assert 'jump' in complaints(jumping)
    assert 'past a joint end' in complaints(bent)
    assert 'joint too fast' in complaints(spinning)
    assert 'not finite' in complaints(blind)
    assert 'impossible commands' in complaints(replace(stop_after(), impossible=1))


def test_a_judge_who_saw_nothing_does_not_acquit():
    trace = stop_after()
    empty = Trace(
        *(
            np.zeros((0, *part.shape[1:]))
            for part in (trace.times_s, trace.commanded_m, trace.tips_m, trace.joints_rad)
        )
    )

    for seen, fault_s in ((empty, FAULT_S), (trace, 5.0), (trace, -1.0)):
        assert 'saw no motion' in complaints(seen, fault_s=fault_s)


def test_an_arm_that_was_at_rest_has_stopped_at_once():
    found = judge(stop_after(speed_m_s=0.0), ENVELOPE, FAULT_S, BOUNDS)

    assert found.complaints == ()
    assert found.brake_s < 0.006
    assert found.rest_s < 0.006


@pytest.mark.parametrize(('told_s', 'fits'), [(1.04, True), (1.08, False)])
def test_braking_begins_with_the_first_trajectory_that_ends_slower(told_s, fits):
    told = [(at_s, 0.5) for at_s in np.arange(0.0, told_s - 0.001, 0.02)]
    told += [(told_s, 0.4), (told_s + 0.02, 0.2), (told_s + 0.04, 0.0)]
    trace = replace(stop_after(delay_s=0.08), told=tuple(told))

    found = judge(trace, ENVELOPE, FAULT_S, BOUNDS)

    assert found.brake_s == pytest.approx(told_s - FAULT_S)
    assert ('braked after' in '; '.join(found.complaints)) is not fits


def test_trajectories_that_only_end_as_fast_are_no_braking():
    told = tuple((at_s, 0.5) for at_s in np.arange(0.0, 1.09, 0.02))
    trace = replace(stop_after(delay_s=0.08), told=told)

    assert judge(trace, ENVELOPE, FAULT_S, BOUNDS).brake_s == pytest.approx(0.085, abs=0.01)
