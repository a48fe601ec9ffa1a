"""A dataset is whole or not there, always the same, and says what it leaves out."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import cv2
import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
from robot_bag import INSTRUCTION, robot_arrivals, string_message, write_robot_bag

sys.path.insert(0, str(Path(__file__).parent / 'programs'))

from convert_bags import rules  # noqa: E402

from magma_ros.dataset.actions.conventions import DROID  # noqa: E402
from magma_ros.dataset.episode_record import read_record, write_record  # noqa: E402
from magma_ros.dataset.export.conversion import convert  # noqa: E402
from magma_ros.dataset.export.conversion_rules import FORMATS, ConversionRules  # noqa: E402
from magma_ros.dataset.export.staged_episode import hash_file  # noqa: E402
from magma_ros.dataset.features.sampling import SamplingRules  # noqa: E402
from magma_ros.errors import ConfigurationError, DiskError  # noqa: E402
from magma_ros.model.action_scaling import load_statistics  # noqa: E402

PROGRAM = Path(__file__).parent / 'programs' / 'convert_bags.py'
PATIENCE_S = 120


@pytest.fixture(scope='module')
def bags(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp('bags')
    names = ('first', 'second', 'third')
    return [
        write_robot_bag(root / name, robot_arrivals(1.0 + 0.4 * number))
        for number, name in enumerate(names)
    ]


@pytest.fixture(scope='module')
def datasets(bags: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp('sets')
    return {form: convert(bags, root / form, rules(form)).folder for form in FORMATS}


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob('*') if path.is_file())
    return {path.relative_to(folder).as_posix(): hash_file(path) for path in files}


def test_nothing_but_the_dataset_is_left(datasets: dict[str, Path]) -> None:
    for folder in datasets.values():
        assert not list(folder.parent.glob('*.partial'))
        for name in ('report.html', 'report.json', 'README.md', 'conversion.json'):
            assert (folder / name).is_file()
        statistics = load_statistics('cubes', folder / 'dataset_statistics.json')
        assert (statistics.q01 < statistics.q99)[:3].all()


@pytest.mark.parametrize('form', ['lerobot', 'magma', 'rlds'])
def test_any_number_of_workers_writes_the_same_bytes(
    bags: list[Path], datasets: dict[str, Path], tmp_path: Path, form: str
) -> None:
    two = convert(bags, tmp_path / 'two', rules(form), workers=2)

    assert hashes(two.folder) == hashes(datasets[form])


@pytest.mark.parametrize('after', [0, 1, 2])
def test_a_killed_conversion_goes_on_to_the_same_bytes(
    bags: list[Path], datasets: dict[str, Path], tmp_path: Path, after: int
) -> None:
    out = tmp_path / 'out'
    command = [sys.executable, str(PROGRAM), str(out), 'lerobot', '1', *map(str, bags)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(after):
            process.stdout.readline()
        while after == 0 and not (tmp_path / 'out.partial').exists():
            assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
    assert not out.exists()
    done = {path.name: path.stat().st_mtime_ns for path in whole_episodes(tmp_path)}

    again = convert(bags, out, rules('lerobot'))

    assert len(done) >= after
    assert again.is_new
    assert hashes(out) == hashes(datasets['lerobot'])


def whole_episodes(folder: Path) -> Iterator[Path]:
    for path in (folder / 'out.partial' / 'episodes').glob('*'):
        if not path.name.endswith('.new'):
            yield path


def test_the_same_conversion_again_does_nothing(
    bags: list[Path], datasets: dict[str, Path]
) -> None:
    before = hashes(datasets['magma'])

    again = convert(bags, datasets['magma'], rules('magma'))

    assert not again.is_new
    assert again.report['train'] == ['first', 'second', 'third']
    assert hashes(datasets['magma']) == before


def test_another_conversion_is_not_written_over_it(
    bags: list[Path], datasets: dict[str, Path]
) -> None:
    with pytest.raises(ConfigurationError, match='holds something else'):
        convert(bags[:1], datasets['magma'], rules('magma'))


def test_a_full_disk_leaves_no_dataset(
    bags: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, data: bytes) -> int:
        raise OSError(28, 'No space left on device')

    with monkeypatch.context() as patch:
        patch.setattr(Path, 'write_bytes', full)
        with pytest.raises(DiskError, match='partial'):
            convert(bags, tmp_path / 'out', rules('magma'))
    assert not (tmp_path / 'out').exists()

    assert convert(bags, tmp_path / 'out', rules('magma')).is_new


def test_magma_conversations(datasets: dict[str, Path], bags: list[Path]) -> None:
    folder = datasets['magma']
    records = json.loads((folder / 'conversations.json').read_text())

    assert len({one['id'] for one in records}) == len(records) > 30
    first = records[0]
    assert first['conversations'] == [
        {
            'from': 'human',
            'value': '<image>\nWhat action should the robot take to put the cube in the bowl?',
        },
        {'from': 'gpt', 'value': '<action>' * 7},
    ]
    about = first['magma_ros']
    assert about['statistics_key'] == 'cubes'
    assert (about['episode'], about['step'], about['source']) == ('first', 0, 'teleop')
    assert len(about['action']) == len(about['state']) == 7
    for one in records:
        assert cv2.imread(str(folder / one['image'])).shape == (32, 32, 3)


def test_traces_become_questions_about_marked_pictures(tmp_path: Path) -> None:
    bag = write_robot_bag(tmp_path / 'bag', robot_arrivals(1.6, (128, 96)))
    wanted = replace(rules('magma'), with_traces=True, sampling=SamplingRules(10.0, 128))

    folder = convert([bag], tmp_path / 'set', wanted).folder

    records = json.loads((folder / 'conversations.json').read_text())
    marks = [one for one in records if one['id'].endswith('/marks')]
    assert marks
    for one in marks:
        question, answer = (turn['value'] for turn in one['conversations'])
        assert 'mark' in question
        assert answer.startswith('Mark ')
        plain = folder / 'images' / 'bag' / f'{one["magma_ros"]["step"]:06d}.jpg'
        assert (folder / one['image']).read_bytes() != plain.read_bytes()
    words = next(one for one in records if one['id'].endswith('/words'))
    assert words['conversations'][1]['value'] == 'put the cube in the bowl'


def test_parquet_and_hdf5_hold_the_same(datasets: dict[str, Path]) -> None:
    records = json.loads((datasets['magma'] / 'conversations.json').read_text())
    expected = np.array([one['magma_ros']['action'] for one in records])

    table = pq.read_table(datasets['parquet'] / 'data/train-00000-of-00001.parquet').to_pydict()
    with h5py.File(datasets['hdf5'] / 'dataset.hdf5') as file:
        masked = [name.decode() for name in file['mask/train'][:]]
        actions = np.concatenate([file[f'data/{name}/actions'][:] for name in masked])
        picture = file['data/demo_0/obs/image'][3]

    assert np.array_equal(np.array(table['action']), expected)
    assert np.array_equal(actions, expected)
    stored = cv2.imdecode(np.frombuffer(table['image'][3]['bytes'], np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(picture, cv2.cvtColor(stored, cv2.COLOR_BGR2RGB))


def test_lerobot_layout(datasets: dict[str, Path]) -> None:
    folder = datasets['lerobot']
    info = json.loads((folder / 'meta/info.json').read_text())
    data = pq.read_table(folder / 'data/chunk-000/file-000.parquet')
    episodes = pq.read_table(folder / 'meta/episodes/chunk-000/file-000.parquet').to_pylist()
    tasks = pq.read_table(folder / 'meta/tasks.parquet').to_pydict()

    assert info['codebase_version'] == 'v3.0'
    assert set(data.column_names) == {
        name for name, about in info['features'].items() if about['dtype'] != 'video'
    }
    assert info['total_frames'] == data.num_rows == sum(one['length'] for one in episodes)
    assert data['index'].to_pylist() == list(range(data.num_rows))
    assert tasks == {'task_index': [0], 'task': ['put the cube in the bowl']}
    for one in episodes:
        number = one['videos/observation.images.image/file_index']
        path = info['video_path'].format(
            video_key='observation.images.image', chunk_index=0, file_index=number
        )
        with av.open(str(folder / path)) as video:
            stamps = [float(frame.time) for frame in video.decode(video=0)]
        assert np.allclose(stamps, np.arange(one['length']) / info['fps'])
    statistics = json.loads((folder / 'meta/stats.json').read_text())
    assert np.shape(statistics['observation.images.image']['mean']) == (3, 1, 1)
    assert 0.0 < statistics['observation.images.image']['mean'][0][0][0] < 1.0


def test_every_exclusion_has_its_reason(bags: list[Path], tmp_path: Path) -> None:
    for name in ('failed', 'discarded', 'twin', 'empty', 'cut'):
        shutil.copytree(bags[0], tmp_path / name)
        (tmp_path / name / 'first_0.mcap').rename(tmp_path / name / f'{name}_0.mcap')
        (tmp_path / name / 'metadata.yaml').unlink()
    for name, change in (('failed', {'success': False}), ('discarded', {'discarded': True})):
        record = read_record(tmp_path / name)
        assert record is not None
        write_record(tmp_path / name, replace(record, **change))
    (tmp_path / 'empty' / 'empty_0.mcap').write_bytes(b'')
    data = bytearray((tmp_path / 'cut' / 'cut_0.mcap').read_bytes())
    at = data.index(b'joint_states')  # in the record that describes the topic
    data[at - 40 : at] = b'\xff' * 40
    (tmp_path / 'cut' / 'cut_0.mcap').write_bytes(data)
    names = ('failed', 'discarded', 'twin', 'empty', 'cut')

    made = convert([bags[0], *(tmp_path / name for name in names)], tmp_path / 'o', rules('magma'))

    reasons = {one['episode']: one['reason'] for one in made.report['excluded']}
    assert set(reasons) == set(names)
    assert 'a failure' in reasons['failed']
    assert 'discarded' in reasons['discarded']
    assert reasons['twin'] == 'the same as first'
    assert 'byte 0: the file is empty' in reasons['empty']
    assert 'cut_0.mcap, byte' in reasons['cut']


def test_the_split_is_by_bag_and_stays_when_data_grows(tmp_path: Path) -> None:
    arrivals = robot_arrivals(0.8, (16, 16))
    made = []
    for number in range(6):
        sentence = string_message(f'task {number}')
        other = [
            replace(one, data=sentence) if one.topic == INSTRUCTION else one for one in arrivals
        ]
        made.append(write_robot_bag(tmp_path / f'bag{number}', other))
    held: list[Any] = []
    for count in (4, 6):
        chosen = replace(rules('magma'), validation_share=0.5)
        held.append(convert(made[:count], tmp_path / f'set{count}', chosen).report['validation'])

    assert 0 < len(held[1]) < 6
    assert [name for name in held[1] if int(name[3:]) < 4] == held[0]
    assert (tmp_path / 'set6' / 'conversations_val.json').is_file()


def test_nothing_to_convert_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match='nowhere: .*nowhere is not there'):
        convert([tmp_path / 'nowhere'], tmp_path / 'out', rules('magma'))
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    'change',
    [
        {'name': '../x'},
        {'format': 'csv'},
        {'convention': DROID},
        {'validation_share': 1.0},
        {'format': 'lerobot', 'with_traces': True},
    ],
)
def test_rules_a_format_cannot_keep_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        ConversionRules(**{'name': 'x', 'format': 'magma', 'mapping': None, **change})
