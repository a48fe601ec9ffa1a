"""F61 to F67: the person. Random instants are seeded."""

from __future__ import annotations

import random
import signal
import threading
import time
from typing import Any

from magma_ros.faults.fault_row import Inject, Row, Seen, Trial
from magma_ros.faults.rig import Rig

ESTOP_S, DEADMAN_S = 0.3, 0.2
_CHANCE = random.Random(0)


def press(rig: Rig) -> float:
    """The emergency stop."""
    return rig.operator.ask('estop', value=False)['at_s']


def _after_a_while(inject: Inject, longest_s: float) -> Inject:
    def wait(rig: Rig) -> float:
        time.sleep(_CHANCE.uniform(0.0, longest_s))
        return inject(rig)

    return wait


def _press_while(begin: Inject, longest_s: float) -> Inject:
    """The emergency stop a random time after something else has begun."""

    def inject(rig: Rig) -> float:
        begin(rig)
        time.sleep(_CHANCE.uniform(0.0, longest_s))
        return press(rig)

    return inject


def _take_over(rig: Rig) -> float:
    at_s = rig.operator.ask('deadman', value=True)['at_s']
    rig.policy.ask('policy', wish='sweep', source='teleop')
    return at_s


def _begin_arming(rig: Rig) -> float:
    """Answered only when armed, or not; so the operator is asked from a thread."""
    ask: Any = rig.operator.ask
    threading.Thread(target=ask, args=('ask',), kwargs={'request': 'arm'}, daemon=True).start()
    return time.monotonic()


def _drive_then(value: bool | None) -> Inject:
    """Take over, drive, and then release (False) or lose (None) the deadman switch."""

    def inject(rig: Rig) -> float:
        _take_over(rig)
        time.sleep(1.0)
        return rig.operator.ask('deadman', value=value)['at_s']

    return inject


def _raise_with_stale_nonce(rig: Rig) -> float:
    return _refused(rig, 'start', 'stale-0', 1)


def _raise_a_hundred_times(rig: Rig) -> float:
    return _refused(rig, 'arm', 'stale-0', 100)


def _raise_with_fault(rig: Rig) -> float:
    at_s = press(rig)
    rig.wait(lambda: rig.state['mode'] == 'estop', 10.0, 'estop')
    for request in ('clear', 'arm', 'start'):
        _refused(rig, request, rig.state['nonce'], 5)
    return at_s


def _refused(rig: Rig, request: str, nonce: str, times: int) -> float:
    at_s = time.monotonic()
    answer = rig.chaos.ask('raise_with', request=request, nonce=nonce, times=times)
    rig.notes['granted'] = rig.notes.get('granted', 0) + answer['granted']
    return at_s


def _none_granted(rig: Rig, seen: Seen) -> list[str]:
    granted = rig.notes.pop('granted')
    return [f'{granted} requests were granted'] if granted else []


def _release_only(rig: Rig) -> float:
    at_s = press(rig)
    time.sleep(1.5)
    rig.operator.ask('estop', value=True)
    return at_s


OPERATOR_ROWS = (
    Row(
        'F61',
        'emergency stop pressed',
        (Trial(_after_a_while(press, 1.0), ('estop',), ('ESTOP',), watch_s=0.6),),
        repeats=5,
        note='5 random instants, not 1000',
    ),
    Row(
        'F62',
        'emergency stop dies (kill -9)',
        (
            Trial(
                lambda rig: rig.signal(signal.SIGKILL, 'operator'),
                ('estop',),
                ('ESTOP',),
                notice_s=ESTOP_S,
            ),
        ),
    ),
    Row(
        'F63',
        'emergency stop during takeover, arming, disarming',
        (
            Trial(_press_while(_take_over, 0.3), ('estop',), ('ESTOP',)),
            Trial(
                _press_while(_begin_arming, 2.0),
                ('estop',),
                ('ESTOP',),
                begin='disarmed',
                brakes=False,
            ),
            Trial(
                _press_while(lambda rig: rig.operator.ask('ask', request='disarm')['at_s'], 0.2),
                ('estop',),
                ('ESTOP',),
                brakes=False,
            ),
        ),
        repeats=2,
        note='6 random instants, not 10^4',
    ),
    Row(
        'F64',
        'deadman switch released or lost while driving',
        (
            Trial(_drive_then(False), ('ready',), notice_s=0.0),
            Trial(_drive_then(None), ('hold',), ('DEADMAN',), notice_s=DEADMAN_S),
        ),
        note='released leads to READY, lost to HOLD',
    ),
    Row(
        'F65',
        'takeover in the middle of a motion',
        (Trial(_after_a_while(_take_over, 1.0), ('teleop',), may_move=True),),
        repeats=5,
        note='5 random instants, not 1000',
    ),
    Row(
        'F66',
        'raising with a stale nonce, with an active fault, 100 times',
        (
            Trial(
                _raise_with_stale_nonce,
                ('ready',),
                begin='ready',
                brakes=False,
                check=_none_granted,
            ),
            Trial(
                _raise_a_hundred_times,
                ('disarmed',),
                begin='disarmed',
                brakes=False,
                check=_none_granted,
            ),
            Trial(_raise_with_fault, ('estop',), ('ESTOP',), check=_none_granted),
        ),
    ),
    Row(
        'F67',
        'emergency stop released, nothing else',
        (Trial(_release_only, ('estop',), ('ESTOP',), watch_s=5.0),),
        note='watched for 5 s, not 60',
    ),
)
