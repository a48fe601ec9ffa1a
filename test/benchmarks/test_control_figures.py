"""The figures of the controller that need neither processes nor an idle machine."""

from __future__ import annotations

import numpy as np
import pytest

from magma_ros.benchmarks.demonstration_tracking import compare
from magma_ros.benchmarks.driven_arm import ARMS
from magma_ros.benchmarks.smoothing_lag import GOAL_MS, STEP_M, take_step
from magma_ros.benchmarks.stop_cases import BRAKING_TICKS, REST_S, stop_arm
from magma_ros.pipeline import POLICY_PERIOD_S
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.sim.rollout import CONTROL_PERIOD_S


@pytest.mark.parametrize('arm', ARMS)
def test_a_moving_arm_stops_in_time(arm: str) -> None:
    stops = stop_arm(arm, cases=9)

    assert any(stop.is_fast for stop in stops)
    assert max(stop.braking_ticks for stop in stops) <= BRAKING_TICKS
    assert max(stop.rest_s for stop in stops) <= REST_S


def test_an_arm_that_does_not_brake_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('magma_ros.pipeline.brake', lambda motion, *_: motion)

    assert max(stop.rest_s for stop in stop_arm('wx250s', cases=3)) > REST_S


@pytest.mark.parametrize('arm', ARMS)
def test_smoothing_costs_little_and_keeps_the_jerk_limit(arm: str) -> None:
    found = take_step(load_arm_profile(arm), STEP_M)

    assert 0.0 < found.lag_s * 1e3 <= GOAL_MS
    assert 0.5 < found.jerk_share <= 1.001


def test_a_delay_is_taken_out_and_a_distance_is_not() -> None:
    path_m = np.array([[0.3, 0.0, 0.1], [0.32, 0.01, 0.1], [0.33, 0.03, 0.09], [0.35, 0.03, 0.09]])
    times_s = CONTROL_PERIOD_S * np.arange(1, 40)
    stamps_s = POLICY_PERIOD_S * np.arange(len(path_m))
    late = np.column_stack([np.interp(times_s - 0.1, stamps_s, axis) for axis in path_m.T])

    found = compare(path_m, late)
    assert found.delay_s == pytest.approx(0.1)
    assert found.rms_m == pytest.approx(0.0, abs=1e-9)
    assert compare(path_m, late + [0.0, 0.0, 0.007]).rms_m == pytest.approx(0.007, rel=0.05)
