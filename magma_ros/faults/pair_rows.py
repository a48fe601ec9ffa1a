"""F80: two faults at once, of which the more severe must win."""

from __future__ import annotations

import signal

from magma_ros.faults.action_rows import act, send
from magma_ros.faults.fault_row import Inject, Row, Trial
from magma_ros.faults.operator_rows import press
from magma_ros.faults.process_rows import kill
from magma_ros.faults.rig import Rig
from magma_ros.faults.time_rows import JOINTS_S, joints


def _silence(rig: Rig) -> float:
    return rig.signal(signal.SIGSTOP, 'perception_node')


def _starve(rig: Rig) -> float:
    return rig.chaos.ask('starve', processes=8)['at_s']


FIRST: dict[str, Inject] = {
    'F01': send('nan', every_s=0.0),
    'F12': _silence,
    'F33': joints('silent'),
    'F46': kill('supervisor_node'),
    'F52': _starve,
    'F55': act('sweep', network=True),
}


def both(first: str, second: Inject) -> Inject:
    """One right after the other; the time is that of the second."""

    def inject(rig: Rig) -> float:
        FIRST[first](rig)
        return second(rig)

    return inject


PAIR_ROWS = (
    Row(
        'F80',
        'pairs: F01, F12, F33, F46, F52, F55 with F61; F01, F12, F46 with F33',
        (
            *(
                Trial(
                    both(name, press),
                    ('estop',),
                    ('ESTOP',),
                    brakes=name != 'F52',
                    rest_s=1.0 if name == 'F52' else None,
                )
                for name in FIRST
            ),
            *(
                Trial(
                    both(name, joints('silent')), ('stop',), ('JOINTS_STALE',), notice_s=JOINTS_S
                )
                for name in ('F01', 'F12', 'F46')
            ),
        ),
        note='9 of 55 pairs, one seed',
    ),
)
