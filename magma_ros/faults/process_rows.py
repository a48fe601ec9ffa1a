"""F43 to F54: processes that die, stand still, come twice or get no time."""

from __future__ import annotations

import signal
import time

from magma_ros.faults.fault_row import Inject, Row, Seen, Trial
from magma_ros.faults.rig import Rig
from magma_ros.faults.rig_programs import node_words

LOST_S, LOST_M = 0.35, 0.030  # without a controller: Servo's own timeout, and the way until then
SUPERVISOR_HOLD_S = 0.15
LEAVE_S = 3.0
SIGNAL_S = 0.05  # until the signal that sets a defect off is taken up


def kill(*names: str) -> Inject:
    """SIGKILL, all at once."""
    return lambda rig: rig.signal(signal.SIGKILL, *names)


def lost(*names: str) -> Trial:
    """These die at full speed, the controller among them: Servo alone brings the arm to rest."""
    return Trial(kill(*names), (), brakes=False, rest_s=LOST_S, travel_m=LOST_M, watch_s=2.0)


def _pause_and_wake(rig: Rig) -> float:
    at_s = rig.signal(signal.SIGSTOP, 'controller_node')
    time.sleep(1.0)
    rig.signal(signal.SIGCONT, 'controller_node')
    return at_s


def _set_off(defect: str) -> Inject:
    """Build a defect in, drive, and set it off."""

    def inject(rig: Rig) -> float:
        rig.build_in('controller_node', defect)
        rig.begin('moving')
        return rig.signal(signal.SIGUSR1, 'controller_node')

    return inject


def _has_failed(rig: Rig, seen: Seen) -> list[str]:
    code = rig.processes['controller_node'].wait(LEAVE_S)
    return [] if code == 1 else [f'exit code {code}, not 1']


def leave(number: signal.Signals, name: str) -> Trial:
    """A signal that ends a process, and a second one, which must not skip the braking."""

    def inject(rig: Rig) -> float:
        at_s = rig.signal(number, name)
        rig.processes[name].send(number)
        return at_s

    def has_left(rig: Rig, seen: Seen) -> list[str]:
        code = rig.processes[name].wait(LEAVE_S * rig.patience)
        return [] if code == 0 else [f'{name} after {number.name}: exit code {code}, not 0']

    gone = name == 'controller_node'
    return Trial(
        inject,
        () if gone else ('hold', 'stop', 'policy'),
        brakes=gone,
        rest_s=None if gone else 1.0,
        check=has_left,
        watch_s=2.0,
    )


def _second_controller(rig: Rig) -> float:
    words = node_words('controller_node', {'simulated': True})
    rig.start_node('controller_node', words, 'second controller')
    rig.wait(lambda: rig.state['mode'] == 'hold', 30.0, 'hold')
    return time.monotonic()


def _starve(rig: Rig) -> float:
    at_s = rig.chaos.ask('starve', processes=8)['at_s']
    time.sleep(5.0)
    rig.chaos.ask('relax')
    return at_s


PROCESS_ROWS = (
    Row('F43', 'controller killed (-9) at full speed', (lost('controller_node'),), repeats=3),
    Row(
        'F44',
        'controller stands still for 1 s (SIGSTOP), then goes on',
        (
            Trial(
                _pause_and_wake,
                ('stop', 'estop'),
                ('OVERRUN', 'HEARTBEAT_CONTROLLER', 'JOINTS_STALE', 'ESTOP'),
                brakes=False,
                rest_s=LOST_S,
                travel_m=LOST_M,
            ),
        ),
    ),
    Row(
        'F45',
        'uncaught exception in the control loop',
        (Trial(_set_off('crash'), (), notice_s=SIGNAL_S, check=_has_failed),),
    ),
    Row(
        'F46',
        'supervisor killed (-9)',
        (
            Trial(
                kill('supervisor_node'),
                ('hold', 'stop'),
                ('HEARTBEAT_SUPERVISOR',),
                notice_s=SUPERVISOR_HOLD_S,
            ),
        ),
    ),
    Row(
        'F47',
        'controller and supervisor killed (-9)',
        (lost('controller_node', 'supervisor_node'),),
    ),
    Row(
        'F48',
        'SIGTERM, SIGINT, SIGHUP, twice each',
        (
            *(
                leave(number, 'controller_node')
                for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
            ),
            leave(signal.SIGTERM, 'supervisor_node'),
            leave(signal.SIGINT, 'servo_stand_in_node'),
        ),
        note='3 of the 5 processes; perception in F27',
    ),
    Row(
        'F51',
        'a second controller',
        (
            Trial(
                _second_controller,
                ('hold', 'stop'),
                ('PUBLISHER_CONFLICT',),
                brakes=False,
                rest_s=1.0,
            ),
        ),
        note='timed from the HOLD',
    ),
    Row(
        'F52',
        '8 busy processes for 5 s',
        (Trial(_starve, ('policy', 'hold', 'stop', 'estop'), may_move=True, watch_s=1.0),),
    ),
    Row(
        'F54',
        'control loop stands still for 0.3 s',
        (
            Trial(
                _set_off('slow'),
                ('stop', 'hold'),
                ('OVERRUN', 'HEARTBEAT_CONTROLLER'),
                brakes=False,
                rest_s=LOST_S,
            ),
        ),
    ),
)
