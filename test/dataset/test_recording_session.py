"""Episodes one after the other, without ROS and without waiting."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from messages import LATCHED, START_NS, STRING, arrival, number

from magma_ros.dataset.bag_checks import check_bag
from magma_ros.dataset.bag_reader import read_messages, report_file
from magma_ros.dataset.cdr import LITTLE_ENDIAN, cdr_string, padded
from magma_ros.dataset.episode_folders import EpisodeFolders
from magma_ros.dataset.episode_record import read_record
from magma_ros.dataset.intervention_labels import STATE_TOPIC, label_bag
from magma_ros.dataset.picture_conversion import PictureConverter
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic
from magma_ros.dataset.recording_session import RecordingSession, RecordingSettings, reason_of
from magma_ros.dataset.running_episode import Context
from magma_ros.dataset.stream_health import Problem
from magma_ros.errors import DiskError, RecordingError

MILLISECOND_NS = 1_000_000
NO_DISK_LIMIT = RecordingSettings(disk_warn_gb=0.0, disk_stop_gb=0.0)
STATE = RecordedTopic(STATE_TOPIC, 'diagnostic_msgs/msg/DiagnosticStatus', 'byte level', '', '')
CONTEXT = Context(
    {'arm': 'wx250s', 'model': {'model_sha256': 'ab12', 'statistics': 'bridge_orig'}},
    (('wx250s.urdf', 'application/xml', b'<robot/>'),),
)


@pytest.fixture
def make_session(tmp_path: Path) -> Iterator[Callable[..., RecordingSession]]:
    sessions = []

    def make(**options: object) -> RecordingSession:
        options = {'settings': NO_DISK_LIMIT, 'describe': lambda: CONTEXT, **options}
        session = RecordingSession(EpisodeFolders(tmp_path / 'episodes'), **options)  # type: ignore[arg-type]
        for topic in (STRING, LATCHED):
            session.add_topic(topic)
        sessions.append(session)
        return session

    yield make
    for session in sessions:
        session.close(START_NS)


def numbers(bag: Path, topic: str = '/said') -> list[int]:
    return [number(m.data) for m in read_messages(bag) if m.topic == topic]


def test_an_episode_has_its_past_its_messages_and_its_context(
    make_session: Callable[..., RecordingSession],
) -> None:
    session = make_session(settings=replace(NO_DISK_LIMIT, pre_trigger_s=0.1))
    session.take([(arrival(0, topic='/latched', step_ns=0), 0)])
    session.take((arrival(index), 0) for index in range(1, 1000))
    folder = session.start(START_NS + 999 * MILLISECOND_NS)
    session.take((arrival(index), 0) for index in range(1000, 1100))
    session.note(START_NS, 'well done')
    assert session.label(True) == folder
    assert session.stop(START_NS + 1100 * MILLISECOND_NS) == folder

    assert numbers(folder) == list(range(900, 1100))
    assert numbers(folder, '/latched') == [0]
    times = [message.log_ns for message in read_messages(folder)]
    assert times == sorted(times)
    assert times[0] == START_NS + 900 * MILLISECOND_NS
    record = read_record(folder)
    assert record is not None
    assert record.success is True
    assert record.notes == ((START_NS, 'well done'),)
    assert record.context == CONTEXT.values
    assert record.topics['/said']['count'] == 100
    report = report_file(folder / f'{folder.name}_0.mcap')
    assert [a.name for a in report.attachments] == ['wx250s.urdf', 'episode.json']
    assert report.metadata[0].metadata['arm'] == 'wx250s'
    assert 'bridge_orig' in report.metadata[0].metadata['model']
    assert check_bag(folder) == []


def test_nothing_is_ever_deleted(make_session: Callable[..., RecordingSession]) -> None:
    session = make_session()
    folder = session.start(START_NS, 'pick')
    session.take([(arrival(0), 0)])
    discarded = session.discard(START_NS + 1)
    assert discarded == folder.parent / 'discarded' / 'pick'
    assert numbers(discarded) == [0]
    assert read_record(discarded).discarded  # type: ignore[union-attr]
    assert session.start(START_NS, 'pick').name == 'pick-2'
    session.stop(START_NS)
    session.discard(START_NS)
    assert session.keep(START_NS).name == 'pick-2'
    assert not read_record(folder.parent / 'pick-2').discarded  # type: ignore[union-attr]


@pytest.mark.parametrize('name', ['../evil', '/etc', 'a/b', '..', '.hidden', 'a\0b', 'x' * 65])
def test_names_that_mean_another_folder_are_refused(
    make_session: Callable[..., RecordingSession], tmp_path: Path, name: str
) -> None:
    session = make_session()
    with pytest.raises(RecordingError, match='cannot name an episode'):
        session.start(START_NS, name)
    assert sorted(path.name for path in tmp_path.rglob('*')) == ['.recorder.lock', 'episodes']


def test_two_recorders_do_not_share_a_folder(
    make_session: Callable[..., RecordingSession],
) -> None:
    make_session()
    with pytest.raises(RecordingError, match='in use by another recorder'):
        make_session()


@pytest.mark.parametrize('request_', ['stop', 'label', 'discard', 'keep'])
def test_without_an_episode_there_is_nothing_to_say(
    make_session: Callable[..., RecordingSession], request_: str
) -> None:
    with pytest.raises(RecordingError, match='start first'):
        getattr(make_session(), request_)(True)


def test_a_disk_that_fills_up_ends_the_episode(
    make_session: Callable[..., RecordingSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[Path] = []
    session = make_session(when_ended=ended.append)
    folder = session.start(START_NS)
    session.take((arrival(index), 0) for index in range(20))
    session._episode._thread._write_waiting()  # type: ignore[union-attr]

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, 'writev', full)
        session.take([(arrival(20), 0)])
        session._episode._thread._write_waiting()  # type: ignore[union-attr]
    session.look(START_NS + 1, 0.0)

    assert not session.is_recording
    assert isinstance(session.fault, DiskError)
    assert reason_of(session.fault) == 'DISK'
    assert ended == []  # no index for it: that needs room
    assert numbers(folder) == list(range(20))
    assert read_record(folder).ended_by == 'DISK'  # type: ignore[union-attr]
    assert any('ended early by DISK' in text for text in check_bag(folder))
    session.start(START_NS + 2)
    assert session.fault is None


def test_little_room_refuses_a_start_and_ends_an_episode(
    make_session: Callable[..., RecordingSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_session(settings=RecordingSettings(disk_warn_gb=5.0, disk_stop_gb=0.5))
    free_gb = 4.0
    monkeypatch.setattr(RecordingSession, 'free_gb', lambda self: free_gb)
    with pytest.raises(DiskError, match='4.0 GB left; to begin an episode disk_warn_gb'):
        session.start(START_NS)
    free_gb = 6.0
    session.start(START_NS)
    free_gb = 0.4
    problems = session.look(START_NS + 1, 0.0)
    assert [problem.kind for problem in problems] == ['disk']
    assert not session.is_recording
    assert isinstance(session.fault, DiskError)
    assert session.record.ended_by == 'DISK'  # type: ignore[union-attr]


def test_a_slow_disk_drops_and_says_so_during_the_episode(
    make_session: Callable[..., RecordingSession],
) -> None:
    session = make_session(settings=replace(NO_DISK_LIMIT, queue_bytes=20_000))
    session.start(START_NS)
    episode = session._episode
    assert episode is not None
    episode._thread.finish()  # nobody writes any more
    session.take((arrival(index, 1000), 0) for index in range(50))
    texts = [problem.text for problem in session.look(START_NS, 0.0)]
    assert texts == ['/said: 31 messages dropped, the disk or the compression is too slow']
    session.stop(START_NS)
    assert session.record.topics['/said']['dropped'] == 31  # type: ignore[union-attr]
    assert 'dropped, after 0 s' in session.record.health[0]  # type: ignore[union-attr]


def test_the_past_does_not_crowd_out_the_present(
    make_session: Callable[..., RecordingSession],
) -> None:
    settings = replace(NO_DISK_LIMIT, pre_trigger_s=10.0, queue_bytes=20_000)
    session = make_session(settings=settings)
    session.take((arrival(index, 1000), 0) for index in range(100))  # 100 kB of the past
    folder = session.start(START_NS + 100 * MILLISECOND_NS)
    session.take((arrival(index, 1000), 0) for index in range(100, 110))
    session.stop(START_NS + 110 * MILLISECOND_NS)
    assert numbers(folder) == list(range(110))


def state(mode: str, index: int) -> Arrival:
    """What the controller says, as the middleware hands it over."""
    values = {'authority': 'x', 'mode': mode, 'reason': ''}
    data = LITTLE_ENDIAN + b'\0'
    for text in ('controller', 'said', ''):
        data = data[:4] + padded(data[4:]) + cdr_string(text)
    data = data[:4] + padded(data[4:]) + len(values).to_bytes(4, 'little')
    for pair in values.items():
        for text in pair:
            data = data[:4] + padded(data[4:]) + cdr_string(text)
    return replace(arrival(index), topic=STATE_TOPIC, data=data)


def test_an_episode_says_when_a_person_steered(
    make_session: Callable[..., RecordingSession],
) -> None:
    session = make_session()
    session.add_topic(STATE)
    modes = ['ready', 'policy', 'policy', 'teleop', 'teleop', 'ready', 'teleop', 'teleop']
    session.take([(state('hold', 0), 0)])  # long before
    folder = session.start(START_NS + MILLISECOND_NS)
    session.take((state(mode, index), 0) for index, mode in enumerate(modes, 1))
    session.take([(replace(state('teleop', 9), data=b'garbage'), 0)])
    session.stop(START_NS + 20 * MILLISECOND_NS)
    labels = read_record(folder).interventions  # type: ignore[union-attr]
    assert [
        (
            (one['start_ns'] - START_NS) // MILLISECOND_NS,
            (one['end_ns'] - START_NS) // MILLISECOND_NS,
            one['taken_from'],
            one['corrects_policy'],
        )
        for one in labels
    ] == [(4, 6, 'policy', True), (7, 8, 'idle', True)]
    assert label_bag(folder) == labels


def test_a_clock_that_is_set_is_reported_while_it_matters(
    make_session: Callable[..., RecordingSession],
) -> None:
    session = make_session()
    folder = session.start(START_NS)
    second_ns, kinds = 1_000_000_000, []
    for tick, jump_s in enumerate([0, 0, 3600, 3600, 3600, 3600, 3600, 3600, 3600]):
        now_ns = START_NS + (tick + jump_s) * second_ns
        kinds.append([problem.kind for problem in session.look(now_ns, 50.0 + tick)])
    assert kinds == [[], [], *[['clock']] * 5, [], []]
    session.look(now_ns, 70.0, [Problem('/force', 'type', '/force cannot be recorded')])
    session.stop(START_NS)
    clock, kind = read_record(folder).health  # type: ignore[union-attr]
    assert 'the system clock was set' in clock
    assert kind.endswith('/force cannot be recorded')


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    with pytest.raises(RecordingError, match='episodes: Not a directory; look at the folder'):
        EpisodeFolders(tmp_path / 'file' / 'episodes')


def test_a_record_of_an_older_version_is_read(tmp_path: Path) -> None:
    (tmp_path / 'episode.json').write_text('{"episode_id": "a", "started_ns": 5}')
    record = read_record(tmp_path)
    assert record is not None
    assert (record.started_ns, record.interventions) == (5, ())
    (tmp_path / 'episode.json').write_text('{"episode_id": "a", "interventions": [{}]}')
    with pytest.raises(RecordingError, match='is no record of an episode'):
        read_record(tmp_path)


@pytest.mark.filterwarnings('ignore::pytest.PytestUnhandledThreadExceptionWarning')
def test_a_writing_thread_that_dies_ends_the_episode(
    make_session: Callable[..., RecordingSession],
) -> None:
    class Broken(PictureConverter):
        def convert(self, arrival: Arrival) -> tuple[RecordedTopic | Arrival, ...]:
            raise ZeroDivisionError

    session = make_session(make_converter=Broken)
    session.start(START_NS)
    session.take([(arrival(0), 0)])
    session._episode._thread._threads[0].join(10.0)  # type: ignore[union-attr]
    session.look(START_NS + 1, 0.0)
    assert not session.is_recording
    assert 'the thread that writes has died' in str(session.fault)
    assert reason_of(session.fault) == 'RECORDER'  # type: ignore[arg-type]
