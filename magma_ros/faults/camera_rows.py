"""F23, F26, F29: cameras and models that need perception to be started in another way."""

from __future__ import annotations

import signal
from pathlib import Path

from magma_ros.errors import EnvironmentMissing
from magma_ros.faults.fault_row import Row, Seen, Trial
from magma_ros.faults.perception_rows import LOOK_S, picture
from magma_ros.faults.rig import Rig

EXPECTED_HZ = 15.0  # of ``fake_camera.py``; its fault ``slow`` makes 5 of them
SLOWED = 0.25  # what DEGRADED leaves of the speed
WORKER_S = 0.3
BOMB_MB = 20.0  # that perception may grow by, with bombs of 243 MB


def _expect_a_rate(rig: Rig) -> None:
    rig.restart('perception_node', {'camera_rate_hz': EXPECTED_HZ})
    rig.instruct()


def _is_slowed(rig: Rig, seen: Seen) -> list[str]:
    active, share = seen.state.get('active', ''), float(seen.state.get('speed_share', 'nan'))
    if 'CAMERA_SLOW' in active.split() and share == SLOWED:
        return []
    return [f'goes on with {share} of the speed because of "{active}"']


def _read_compressed(rig: Rig) -> None:
    rig.restart('perception_node', {'compressed': True})
    rig.instruct()


class _Bombs:
    """Bombs from now on; afterwards, whether perception has grown."""

    def __init__(self) -> None:
        self._before_mb = 0.0

    def inject(self, rig: Rig) -> float:
        self._before_mb = _resident_mb(rig.processes['perception_node'].pid)
        return picture('bomb')(rig)

    def check(self, rig: Rig, seen: Seen) -> list[str]:
        process = rig.processes['perception_node']
        if process.exit_code is not None:
            return [f'perception has ended with code {process.exit_code}']
        grown_mb = _resident_mb(process.pid) - self._before_mb
        return [] if grown_mb < BOMB_MB else [f'perception has grown by {grown_mb:.0f} MB']


def _kill_the_model(rig: Rig) -> float:
    pid = rig.processes['perception_node'].pid
    found = Path(f'/proc/{pid}/task').glob('*/children')
    children = [int(child) for path in found for child in path.read_text().split()]
    if len(children) != 1:
        raise EnvironmentMissing(f'perception has the children {children}, not one')
    return rig.chaos.ask('signal', number=int(signal.SIGKILL), pids=children)['at_s']


def _resident_mb(pid: int) -> float:
    status = Path(f'/proc/{pid}/status').read_text()
    line = next(line for line in status.splitlines() if line.startswith('VmRSS:'))
    return int(line.split()[1]) / 1024


_BOMBS = _Bombs()
CAMERA_ROWS = (
    Row(
        'F23',
        '5 pictures a second in the place of 15',
        (
            Trial(
                picture('slow'),
                ('policy',),
                prepare=_expect_a_rate,
                may_move=True,
                watch_s=3.0,
                check=_is_slowed,
            ),
        ),
        'camera',
        note='a quarter of the speed, where camera_rate_hz is set',
    ),
    Row(
        'F26',
        'bombs in compressed pictures',
        (
            Trial(
                _BOMBS.inject,
                ('hold',),
                ('CAMERA_FORMAT',),
                prepare=_read_compressed,
                notice_s=LOOK_S,
                check=_BOMBS.check,
            ),
        ),
        'camera',
        note='PNG of 236 kB with 9000 x 9000 pixels',
    ),
    Row(
        'F29',
        'the process of the model is killed (-9)',
        (Trial(_kill_the_model, ('hold',), ('MODEL_OOM',), notice_s=WORKER_S),),
        'camera',
        note='as when memory runs out; a full GPU needs one',
    ),
)
