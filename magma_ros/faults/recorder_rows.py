"""F68 to F72: the recorder dies, its disk does, and recordings that are damaged or mean harm."""

from __future__ import annotations

import itertools
import random
import resource
import signal
import time
from pathlib import Path

from magma_ros.dataset.bag_checks import check_bag, measure_topics
from magma_ros.dataset.bag_rewrite import rewrite_bag
from magma_ros.dataset.episode_record import read_record
from magma_ros.faults import faulty_recordings as faulty
from magma_ros.faults.fault_row import BadStart, Check, Row, Seen, Trial
from magma_ros.faults.rig import Rig
from magma_ros.faults.rig_programs import node_words
from magma_ros.ros import topics
from magma_ros.ros.recorder_topics import RECORDER_SERVICES

STARTED_S = 60.0  # until a recorder lives, on a busy machine
TAIL_S = 0.1  # what kill -9 may cost
POWER_S = 1.0  # what a power cut may cost
RECORDER_HOLD_S = 1.0  # of the supervisor, where a recorder is required
LOOK_S = 1.1  # the recorder looks at its disk every second
_NUMBERS, _CHANCE = itertools.count(), random.Random(0)


def _record(rig: Rig, defect: str = '') -> None:
    """Begin an episode; the arm begins to move in it."""
    name = f'recorder{next(_NUMBERS)}'
    given = {
        'directory': str(rig.directory / f'{name}_episodes'),
        'disk_warn_gb': 0.0,
        'disk_stop_gb': 0.0,
        'chunks': 'none',
    }
    # A name of its own: one that was killed is still known for a while, and does not answer.
    start = f'/{name}/start'
    renamed = ('-r', f'{RECORDER_SERVICES["start"].name}:={start}')
    words = (*node_words('recorder_node', given), *renamed)
    process = rig.start_node('recorder_node', words, name, defect)
    rig.wait(lambda: 'started' in process.log, STARTED_S, f'{name} to start')
    rig.notes['recorder'] = name
    rig.notes['bag'] = Path(rig.chaos.ask('trigger', service=start)['text'])


def _record_what_is_required(rig: Rig) -> None:
    rig.restart('supervisor_node', {'require_recorder': True})
    _record(rig)


def _record_on_a_weak_disk(rig: Rig) -> None:
    _record(rig, 'power cut')


def _kill(rig: Rig) -> float:
    return _noted(rig, rig.signal(signal.SIGKILL, rig.notes['recorder']))


def _cut_power(rig: Rig) -> float:
    time.sleep(_CHANCE.uniform(1.0, 2.0) * POWER_S)
    return _noted(rig, rig.signal(signal.SIGUSR1, rig.notes['recorder']))


def _fill_disk(rig: Rig) -> float:
    """No file of the recorder may grow any more: what a quota does."""
    process, size = rig.processes[rig.notes['recorder']], _file(rig.notes['bag']).stat().st_size
    at_s = time.monotonic()
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, size))
    return _noted(rig, at_s)


def _noted(rig: Rig, at_s: float) -> float:
    """Remember on the clock of the bag when the fault was."""
    rig.notes['fault_ns'] = time.time_ns() - round((time.monotonic() - at_s) * 1e9)
    return at_s


def _has_kept(most_s: float) -> Check:
    """Whether the bag reads at once, says that it was cut off, and lacks so much at most."""

    def check(rig: Rig, seen: Seen) -> list[str]:
        bag, fault_ns = rig.notes.pop('bag'), rig.notes.pop('fault_ns')
        complaints = [] if any('unfinished' in text for text in check_bag(bag)) else ['not marked']
        lost_s = (fault_ns - _last_ns(bag)) * 1e-9
        if lost_s > most_s * rig.patience:
            complaints.append(f'the last {1000 * lost_s:.0f} ms are missing')
        before = _count(bag)
        if rewrite_bag(bag).kept != before:
            complaints.append('magma bags repair has lost messages')
        return complaints

    return check


def _ended_by_disk(rig: Rig, seen: Seen) -> list[str]:
    bag, fault_ns = rig.notes.pop('bag'), rig.notes.pop('fault_ns')
    record = read_record(bag)
    ended_by = record.ended_by if record is not None else None
    complaints = [] if ended_by == 'DISK' else [f'ended by {ended_by}, not DISK']
    if (fault_ns - _last_ns(bag)) * 1e-9 > TAIL_S * rig.patience:
        complaints.append('messages from before the fault are missing')
    code = rig.processes[rig.notes['recorder']].exit_code
    return complaints + ([] if code is None else [f'the recorder has ended with code {code}'])


def _last_ns(bag: Path) -> int:
    """When the last joint states came that are in the bag; 0: there are none."""
    figures = measure_topics(_file(bag)).get(topics.JOINT_STATES.name)
    return figures.times_ns[-1] if figures is not None and figures.times_ns else 0


def _count(bag: Path) -> int:
    return sum(len(figures.times_ns) for figures in measure_topics(_file(bag)).values())


def _file(bag: Path) -> Path:
    return bag / f'{bag.name}_0.mcap'


def _refused(spoil: faulty.Spoil, says: str) -> BadStart:
    return BadStart('teleop_node', says=says, make_parameters=faulty.replaying(spoil))


RECORDER_ROWS = (
    Row(
        'F68',
        'recorder killed (-9)',
        (
            Trial(_kill, ('policy',), prepare=_record, may_move=True, check=_has_kept(TAIL_S)),
            Trial(
                _kill,
                ('hold',),
                ('HEARTBEAT_RECORDER',),
                prepare=_record_what_is_required,
                notice_s=RECORDER_HOLD_S,
                check=_has_kept(TAIL_S),
            ),
        ),
        note='not required, and required; 100 more in magma bench record',
    ),
    Row(
        'F69',
        'disk full',
        (
            Trial(
                _fill_disk,
                ('hold',),
                ('DISK',),
                prepare=_record,
                notice_s=LOOK_S,
                check=_ended_by_disk,
            ),
        ),
        note='by a limit on the size of its files; slow ones in test/dataset',
    ),
    Row(
        'F70',
        'power cut',
        (
            Trial(
                _cut_power,
                ('policy',),
                prepare=_record_on_a_weak_disk,
                may_move=True,
                check=_has_kept(POWER_S),
            ),
        ),
        repeats=3,
        note='what was not synchronised is cut off',
    ),
    Row(
        'F71',
        'damaged recordings',
        (
            _refused(faulty.flip_bit, 'byte'),
            _refused(faulty.truncate, 'magma bags repair'),
            _refused(faulty.lengthen_record, 'byte'),
            _refused(faulty.replace_content, 'no MCAP file'),
        ),
        '',
        note='replayed by teleop; thousands of random ones in test/dataset',
    ),
    Row(
        'F72',
        'hostile recordings',
        (
            _refused(faulty.name_other_files, 'Do not trust this bag'),
            _refused(faulty.nest_metadata, 'metadata.yaml'),
            _refused(faulty.link_elsewhere, 'is a link'),
            _refused(faulty.add_topics, 'more than 4096 topics'),
            BadStart('recorder_node', {'name': '../../evil'}, 'cannot name an episode'),
            BadStart('recorder_node', {'name': '/etc/evil'}, 'cannot name an episode'),
        ),
        '',
        note='5000 topics, not 10^6',
    ),
)
