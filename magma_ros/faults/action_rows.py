"""F01 to F19: what a policy sends. All of them are told to the scripted policy of the rig."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from functools import partial

from magma_ros.faults.fault_row import Inject, Row, Seen, Trial
from magma_ros.faults.rig import Rig

POLICY_PERIOD_S = 0.2
PERCEPTION_HOLD_S = 0.5
BLIND_M = 0.05
ALIVE = ('policy',)
FEW_BYTES = 1_000_000
FACES = [tuple(sign * (axis == k) for k in range(3)) for axis in range(3) for sign in (1, -1)]
CORNERS = [(x, y, z) for x in (1, -1) for y in (1, -1) for z in (1, -1)]
TURNS = [
    (0, 0, 0, *(sign * (axis == k) for k in range(3))) for axis in (2, 1, 0) for sign in (1, -1)
]
STRETCHED = [(1, 1, 1), (-1, -1, -1), (-1, 0, 1), (1, 0, -1)]  # out to a corner and back again


def send(*kinds: str, every_s: float = 0.25) -> Inject:
    """Faulty chunks (``faulty_chunks.py``); by default so slowly that none overtakes another."""

    def inject(rig: Rig) -> float:
        return rig.policy.ask('send', kinds=list(kinds), every_s=every_s)['last_s']

    return inject


def act(wish: str, **options: object) -> Inject:
    """Another wish of the policy (``scripted_policy.py``)."""
    return lambda rig: rig.policy.ask('policy', wish=wish, **options)['at_s']


def drive(directions: Sequence[tuple[int, ...]], seconds: float, rig: Rig) -> float:
    """Drive into all of these directions, one after the other."""
    at_s = time.monotonic()
    for direction in directions:
        six = [float(share) for share in (*direction, 0, 0, 0)[:6]]
        rig.policy.ask('policy', wish='drive', direction=six)
        time.sleep(seconds)
    rig.policy.ask('policy', wish='still')
    return at_s


def refuse(*kinds: str, because: str, begin: str = 'moving') -> Trial:
    """One such chunk each, between good ones: refused, and the policy goes on."""

    def inject(rig: Rig) -> float:
        for kind in kinds:
            at_s = rig.policy.ask('send', kinds=[kind, 'good'], every_s=0.1)['at_s']
        return at_s

    return Trial(inject, ALIVE, refused=(because,), may_move=True, begin=begin, watch_s=1.0)


def never_moves(*kinds: str, because: str) -> Trial:
    """Such chunks at rest: the arm does not stir."""
    inject = send(*kinds)
    return Trial(
        inject, ALIVE, refused=(because,), begin='still', brakes=False, travel_m=0.001, watch_s=3.0
    )


def _burst(rig: Rig) -> float:
    return rig.policy.ask('burst', count=1000)['at_s']


def _memory(rig: Rig) -> float:
    """The second half of the same messages must need no memory that the first did not."""
    controller = rig.processes['controller_node']
    for _ in range(2):
        rig.policy.ask('send', kinds=['million values', 'good'], every_s=0.5)
    before = controller.resident_bytes
    at_s = rig.policy.ask('send', kinds=['million values', 'good'] * 2, every_s=0.5)['at_s']
    rig.notes['grown'] = controller.resident_bytes - before
    return at_s


def _has_not_grown(rig: Rig, seen: Seen) -> list[str]:
    grown = rig.notes['grown']
    return [f'the controller grew by {grown} bytes'] if grown > FEW_BYTES else []


def _keeps_direction(rig: Rig, seen: Seen) -> list[str]:
    """The step was (0.06, 0.06, 0.06) m: shortened to 0.05 m, in the same direction."""
    x, y, z = seen.verdict['shift_m']
    length = (x * x + y * y + z * z) ** 0.5
    along = (x + y + z) / 3**0.5
    complaints = []
    if not 0.03 < length <= BLIND_M + 0.002:
        complaints.append(f'moved {length:.4f} m, not up to {BLIND_M}')
    if length > 0.0 and along / length < 0.9998:  # 1 degree
        complaints.append(f'moved by {seen.verdict["shift_m"]}, another direction')
    return complaints


def _gripper_goals(rig: Rig, seen: Seen) -> list[str]:
    count = rig.judge.ask('count', event='gripper', since_s=seen.fault_s)['count']
    return [f'{count} gripper goals in 4 s'] if count > 9 else []


ACTION_ROWS = (
    Row('F01', 'NaN in one component', (refuse('nan', because='ACTION_NONFINITE'),)),
    Row(
        'F02',
        'Inf, -Inf, 1e308, denormal',
        (
            refuse('inf', '-inf', because='ACTION_NONFINITE'),
            refuse('1e308', because='ACTION_RANGE'),
            Trial(send('denormal'), ALIVE, may_move=True, watch_s=0.5),
        ),
    ),
    Row(
        'F03',
        '10 garbage actions in a row',
        (Trial(send(*['nan'] * 10, every_s=0.06), ('stop',), ('ACTION_REFUSED',)),),
        note='HOLD after the third, STOP after the tenth',
    ),
    Row(
        'F04',
        '6, 8, no or 10^6 values',
        (
            *(
                refuse(kind, because='ACTION_DIMS')
                for kind in ('six values', 'eight values', 'no values')
            ),
            Trial(
                _memory,
                ('policy', 'hold'),
                refused=('ACTION_DIMS',),
                begin='still',
                may_move=True,
                check=_has_not_grown,
            ),
        ),
    ),
    Row('F05', 'ten times the largest step', (refuse('ten times', because='ACTION_RANGE'),)),
    Row(
        'F06',
        'up to three times the largest step',
        (
            Trial(
                send('twice', every_s=0.9),
                ALIVE,
                begin='still',
                may_move=True,
                check=_keeps_direction,
                watch_s=0.0,
            ),
        ),
    ),
    Row(
        'F07',
        'wrong or empty frame',
        tuple(refuse(kind, because='FRAME') for kind in ('wrong frame', 'no frame')),
    ),
    Row('F08', 'stamp 10 s ahead', (never_moves('future', because='STAMP_FUTURE'),)),
    Row('F09', 'stamp 0', (never_moves('stamp 0', because='STAMP_OLD'),)),
    Row(
        'F10',
        'stamps going back',
        (never_moves('stamp back', because='SEQ'),),
        note='counted as SEQ (105)',
    ),
    Row(
        'F11',
        'repeated sequence numbers',
        (
            Trial(
                send('good', *['repeated'] * 4),
                ('hold', 'stop'),
                ('ACTION_REFUSED',),
                ('SEQ',),
                begin='still',
                brakes=False,
                travel_m=0.001,
            ),
        ),
        note='replayed by the policy itself, no bag',
    ),
    Row(
        'F12',
        'policy silent (SIGSTOP)',
        (
            Trial(
                lambda rig: rig.signal(signal.SIGSTOP, 'perception_node'),
                ('hold',),
                ('HEARTBEAT_PERCEPTION',),
                brakes=False,
                rest_s=3 * POLICY_PERIOD_S + 0.15,
                travel_m=BLIND_M,
            ),
        ),
    ),
    Row(
        'F13',
        '1000 actions at once',
        (Trial(_burst, ('policy', 'hold'), begin='still', may_move=True, travel_m=BLIND_M),),
    ),
    Row(
        'F14',
        'largest steps to and fro',
        (Trial(act('shake'), ALIVE, begin='still', may_move=True, watch_s=4.0),),
        note='speeds and jumps are judged; jerk of the arm is up to Servo',
    ),
    Row(
        'F15',
        'gripper toggling',
        (
            Trial(
                act('gripper', period_s=1 / 30),
                ALIVE,
                begin='still',
                may_move=True,
                watch_s=4.0,
                check=_gripper_goals,
            ),
        ),
    ),
    Row(
        'F16',
        'straight into the 6 faces and 8 corners of the box',
        (
            Trial(partial(drive, FACES, 2.0), ALIVE, begin='still', may_move=True),
            Trial(partial(drive, CORNERS, 2.5), ALIVE, begin='still', may_move=True),
        ),
    ),
    Row(
        'F17',
        'turning until a joint, the cone or a wall ends it, both ways about each axis',
        (Trial(partial(drive, TURNS, 4.0), ALIVE, begin='still', may_move=True),),
        note='joint ends as far as cone and box let them be reached',
    ),
    Row(
        'F18',
        'to where the arm is stretched, and back',
        (Trial(partial(drive, STRETCHED, 3.0), ALIVE, begin='still', may_move=True),),
    ),
)
