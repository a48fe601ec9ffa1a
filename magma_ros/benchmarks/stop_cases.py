"""How soon a moving arm slows down and stands still after HOLD, STOP and ESTOP: pure, every arm.

At a random moment of a hostile policy's drive, once the arm is as fast as the case demands, the
controller is told to stop. It decelerates from the period on after which its speed, in shares of
full speed, only falls; it is at rest when it stays below 1 mm/s and 1 mrad/s. Both count from the
period that hears of the stop.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from multiprocessing import get_context

import numpy as np

from magma_ros.benchmarks.driven_arm import ARMS, PERIOD_S, DrivenArm
from magma_ros.benchmarks.record import Entry
from magma_ros.data_types import MotionLimits, Twist
from magma_ros.motion.causes import Cause, Severity
from magma_ros.motion.modes import Mode
from magma_ros.motion.norms import length
from magma_ros.motion.reason_codes import Reason
from magma_ros.robot.arm_profile import load_arm_profile

CASES = 1000  # for each arm
BRAKING_TICKS = 3
REST_S = BRAKING_TICKS * PERIOD_S + 0.150
REST = 1e-3  # m/s and rad/s
ROUNDING_OFF = 0.02  # of full speed: an arm that settles may turn round so slowly
FAST_SHARE = 0.9  # of full speed: a case begins there
PATIENCE_TICKS = 150  # then the fastest moment of late is good enough
WATCHED_TICKS = 25
STOPS = (
    {'reported': (Cause(Reason.CAMERA_STALE, Severity.HOLD),)},
    {'reported': (Cause(Reason.TRACKING, Severity.STOP),)},
    {'is_estop_pressed': True},
)


@dataclass(frozen=True)
class Stop:
    """One case."""

    braking_ticks: int  # until the speed begins to fall for good
    rest_s: float
    is_fast: bool  # it began at full speed


def measure(cases: int = CASES) -> list[Entry]:
    """The worst of each arm; every core takes its part."""
    cores = os.cpu_count() or 1
    entries = []
    with ProcessPoolExecutor(cores, get_context('spawn')) as pool:
        for arm in ARMS:
            parts = pool.map(stop_arm, repeat(arm), repeat(-(-cases // cores)), range(cores))
            stops = [stop for part in parts for stop in part]
            braking = max(stop.braking_ticks for stop in stops)
            rest_s = round(max(stop.rest_s for stop in stops), 3)
            fast = sum(stop.is_fast for stop in stops)
            entries += [
                Entry(f'stop-{arm}-braking', braking, 'periods', BRAKING_TICKS),
                Entry(f'stop-{arm}-rest', rest_s, 's', REST_S),
                Entry(f'stop-{arm}-at-full-speed', fast, 'cases', 1, higher_is_better=True),
            ]
    return entries


def stop_arm(arm: str, cases: int, seed: int = 0) -> list[Stop]:
    """So many cases of one arm."""
    profile = load_arm_profile(arm)
    kinematics = profile.kinematics()
    return [
        _stop(
            DrivenArm(profile, kinematics, np.random.default_rng((seed, case))),
            profile.limits,
            case,
        )
        for case in range(cases)
    ]


def _stop(driven: DrivenArm, limits: MotionLimits, case: int) -> Stop:
    full = (limits.speed_m_s, limits.angular_speed_rad_s)
    for tick in range(PATIENCE_TICKS):
        speeds = _speeds(driven.tick())
        share = max(speed / most for speed, most in zip(speeds, full, strict=True))
        if share > FAST_SHARE and driven.control.state.mode is Mode.POLICY:
            break
        if tick > PATIENCE_TICKS // 2 and share > FAST_SHARE / 2:
            break
    history = np.array(
        [
            speeds,
            *(_speeds(driven.tick(**STOPS[case % len(STOPS)])) for _ in range(WATCHED_TICKS)),
        ]
    )
    braking = _begins_to_brake((history / full).max(axis=1))
    return Stop(braking, _rests_after(history) * PERIOD_S, share > FAST_SHARE)


def _speeds(twist: Twist) -> tuple[float, float]:
    return length(twist.linear_m_s), length(twist.angular_rad_s)


def _begins_to_brake(history: np.ndarray) -> int:
    """Periods until the speed (n,), in shares of full speed, does nothing but fall."""
    rises = np.diff(history) > ROUNDING_OFF
    return int(np.nonzero(rises)[0].max()) + 2 if rises.any() else 1


def _rests_after(history: np.ndarray) -> float:
    """Periods until both speeds stay below REST."""
    moves = (history > REST).any(axis=1)
    return float(np.nonzero(moves)[0].max()) + 1 if moves.any() else 0.0
