"""F33 to F42, F77: joint states, clocks, and an arm that does not do what it is told."""

from __future__ import annotations

import time

from magma_ros.faults.action_rows import POLICY_PERIOD_S, act
from magma_ros.faults.fault_row import BadStart, Inject, Row, Trial
from magma_ros.faults.rig import Rig
from magma_ros.faults.rig_processes import ON_CLOCK_S

JOINTS_S = 0.05
SKEW_S = 0.1
TRACKED_S = 1.2  # 40 mm at 0.15 m/s, then 0.2 s, then braking
REFUSED_S = 4 * POLICY_PERIOD_S  # three in a row


def joints(fault: str) -> Inject:
    """Something wrong with the encoders (``joint_state_faults.py``)."""
    return lambda rig: rig.arm.ask('joints', fault=fault)['at_s']


def clock(**change: float) -> Inject:
    """Set /clock, or stop it."""
    return lambda rig: rig.chaos.ask('clock', **change)['at_s']


def _stick(rig: Rig) -> float:
    return rig.arm.ask('stick', joint='waist')['at_s']


def _jump_twice(rig: Rig) -> float:
    """Back, and while it holds, ahead: nothing old may come to life again."""
    at_s = rig.chaos.ask('clock', set_s=ON_CLOCK_S / 2)['at_s']
    time.sleep(1.0)
    rig.chaos.ask('clock', set_s=ON_CLOCK_S)
    return at_s


TIME_ROWS = (
    Row(
        'F33',
        'no joint states',
        (Trial(joints('silent'), ('stop',), ('JOINTS_STALE',), notice_s=JOINTS_S),),
    ),
    Row(
        'F34',
        'joint states NaN, out of range, a joint missing or twice; another order',
        (
            *(
                Trial(joints(fault), ('stop',), ('JOINTS_INVALID',), notice_s=JOINTS_S)
                for fault in ('nan', 'beyond', 'missing', 'twice')
            ),
            Trial(joints('reversed'), ('policy',), may_move=True),
        ),
        note='another order is no fault: names count',
    ),
    Row(
        'F35',
        'encoders stand still while the arm moves',
        (
            Trial(
                joints('frozen'),
                ('stop',),
                ('TRACKING',),
                brakes=False,
                rest_s=TRACKED_S,
                travel_m=0.12,
            ),
        ),
    ),
    Row(
        'F39',
        'ROS time jumps back, and ahead again',
        (Trial(_jump_twice, ('hold', 'stop'), ('CLOCK_JUMP',), notice_s=JOINTS_S, watch_s=3.0),),
        'clock',
    ),
    Row(
        'F40',
        '/clock stands still',
        (
            Trial(
                clock(runs=False),
                ('hold', 'stop'),
                brakes=False,
                rest_s=REFUSED_S + 0.25,
                travel_m=0.15,
            ),
        ),
        'clock',
    ),
    Row(
        'F41',
        'use_sim_time with a real arm',
        (BadStart('controller_node', {'use_sim_time': True}, 'use_sim_time'),),
        '',
    ),
    Row(
        'F42',
        'clock of the policy 100 ms ahead, 100 ms behind',
        (
            Trial(
                act('sweep', shift_s=SKEW_S),
                ('hold', 'stop'),
                ('ACTION_REFUSED',),
                ('STAMP_FUTURE',),
                brakes=False,
                rest_s=REFUSED_S + 0.25,
            ),
            Trial(act('sweep', shift_s=-SKEW_S), ('policy',), may_move=True),
        ),
        note='its stamps are shifted, no libfaketime',
    ),
    Row(
        'F77',
        'a joint is stuck',
        (Trial(_stick, ('stop',), ('TRACKING',), brakes=False, rest_s=TRACKED_S),),
    ),
)
