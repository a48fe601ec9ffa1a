"""F55 to F60: what the network and strangers do to messages; F73, F74: wrong configuration."""

from __future__ import annotations

import random
import time

from magma_ros.faults.action_rows import act
from magma_ros.faults.fault_row import BadStart, Row, Seen, Trial
from magma_ros.faults.operator_rows import press
from magma_ros.faults.rig import Rig

ORDERS = 3
CONFLICT_S = 1.0
PEERS = (
    'servo_stand_in_node',
    'supervisor_node',
    'controller_node',
    'perception_node',
    'operator',
)
WIDER = {'joints_stop_s': 1.9, 'rate_hz': 20.0, 'estop_s': 1.9, 'perception_hold_s': 4.9}


def _restart_in_every_order(rig: Rig) -> float:
    chance, at_s = random.Random(0), time.monotonic()
    for _ in range(ORDERS):
        rig.restart_all(chance.sample(PEERS, len(PEERS)))
        rig.begin('ready')
    return at_s


def _speak_unreliably(rig: Rig) -> float:
    return rig.chaos.ask('incompatible')['at_s']


def _is_loud(rig: Rig, seen: Seen) -> list[str]:
    said = 'incompatible QoS' in rig.processes['controller_node'].log
    return [] if said else ['the controller does not say that a publisher cannot be heard']


def _rogue(rig: Rig) -> float:
    return rig.chaos.ask('twists', count=10, every_s=0.02, speed_m_s=0.05)['at_s']


def _flood_then_press(rig: Rig) -> float:
    rig.chaos.ask('flood', seconds=2.0)
    time.sleep(1.0)
    return press(rig)


def _reject(rig: Rig) -> float:
    return rig.arm.ask('reject')['at_s']


def _widen(rig: Rig) -> float:
    at_s = time.monotonic()
    rig.notes['widened'] = [
        name
        for name, value in WIDER.items()
        if rig.chaos.ask('set_parameter', node_name='controller_node', name=name, value=value)[
            'granted'
        ]
    ]
    return at_s


def _nothing_widened(rig: Rig, seen: Seen) -> list[str]:
    return [f'{name} was widened' for name in rig.notes['widened']]


MIDDLEWARE_ROWS = (
    Row(
        'F55',
        '30 % lost, up to 200 ms late, reordered, doubled',
        (
            Trial(
                act('sweep', network=True), ('policy', 'hold', 'stop'), may_move=True, watch_s=6.0
            ),
        ),
        note='lost at the policy, no relay',
    ),
    Row(
        'F56',
        'peers restarted in any order',
        (Trial(_restart_in_every_order, ('ready',), begin='disarmed', may_move=True),),
        note='3 of 120 orders',
    ),
    Row(
        'F57',
        'a publisher with another quality of service',
        (Trial(_speak_unreliably, ('policy',), may_move=True, watch_s=2.0, check=_is_loud),),
    ),
    Row(
        'F58',
        "a stranger on Servo's topic",
        (
            Trial(
                _rogue,
                ('hold', 'stop'),
                ('PUBLISHER_CONFLICT',),
                brakes=False,
                rest_s=CONFLICT_S,
            ),
        ),
    ),
    Row(
        'F59',
        'flood on the topics of the emergency stop and of actions, then pressed',
        (Trial(_flood_then_press, ('estop',), ('ESTOP',)),),
        note='as fast as one process can, about 5 kHz each',
    ),
    Row(
        'F60',
        'the driver refuses trajectories',
        (Trial(_reject, ('stop',), ('TRACKING',), brakes=False, rest_s=1.0),),
    ),
    Row(
        'F73',
        'limits widened while it runs',
        (Trial(_widen, ('policy',), may_move=True, check=_nothing_widened),),
    ),
    Row(
        'F74',
        'NaN, negative, unknown, swapped and wrong words in the configuration',
        tuple(
            BadStart('controller_node', {name: value}, name)
            for name, value in (
                ('rate_hz', float('nan')),
                ('joints_hold_s', -1.0),
                ('estop_s', 1e9),
                ('joints_hold_s', 0.5),  # above joints_stop_s
                ('rate_hz', 'fast'),
                ('speed_limit', 1.0),
                ('blending', 'sometimes'),
                ('waived_checks', 'everything'),
                ('calibration_date', 'yesterday'),
            )
        ),
        '',
        note='9 of all keys; the files of the arms are tested in test/robot',
    ),
)
