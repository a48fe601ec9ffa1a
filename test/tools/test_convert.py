"""``magma data`` as a person uses it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / 'dataset'))  # for robot_bag.py

from robot_bag import robot_arrivals, write_robot_bag  # noqa: E402

from magma_ros.tools.magma import COMMANDS, Command, main  # noqa: E402

KNOWN = {**COMMANDS, 'data': Command('magma_ros.tools.convert', 'check and convert recordings')}
SMALL = ['--size', '32', '--rate', '10']


@pytest.fixture(scope='module')
def episodes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp('episodes')
    for number in range(2):
        write_robot_bag(root / f'episode{number}', robot_arrivals(1.0 + 0.2 * number))
    (root / 'discarded').mkdir()
    write_robot_bag(root / 'discarded' / 'bad', robot_arrivals(0.5))
    return root


def test_convert_then_stats(
    episodes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / 'cubes'
    arguments = ['data', 'convert', str(episodes), '--to', 'magma', '--out', str(out), *SMALL]

    assert main([*arguments, '--workers', '1'], KNOWN) == 0
    written = capsys.readouterr().out
    assert main([*arguments, '--workers', '2'], KNOWN) == 0
    again = capsys.readouterr().out
    assert main(['data', 'stats', str(out), '--json'], KNOWN) == 0
    statistics = json.loads(capsys.readouterr().out)

    steps = json.loads((out / 'report.json').read_text())['steps']
    assert f'cubes written: {steps} steps in 2 + 0 episodes' in written
    assert 'is there already' in again
    assert statistics['num_trajectories'] == 2
    assert len(statistics['action']['q99']) == 7


def test_check_writes_a_report_and_nothing_else(
    episodes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / 'report'

    code = main(['data', 'check', str(episodes), '--json', '--report', str(report), *SMALL], KNOWN)

    found = json.loads(capsys.readouterr().out)
    assert code == 0
    assert [one['name'] for one in found['episodes']] == ['episode0', 'episode1']
    assert sorted(path.name for path in report.iterdir()) == ['report.html', 'report.json']


def test_an_episode_that_is_left_out_is_said_by_the_exit_code(
    episodes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / 'broken.mcap'
    broken.write_bytes(b'no bag')

    code = main(['data', 'check', str(episodes), str(broken), *SMALL], KNOWN)

    assert code == 1
    assert 'would be left out: broken.mcap' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('options', 'complaint'),
    [
        (['--mapping', 'nobody'], 'nobody'),
        (['--rate', '0'], 'rate_hz'),
        (['--by', 'marker'], 'topic of the markers'),
        (['--actions', 'chunks', '--rotation', 'bridge_naive'], 'bridge_naive subtracts'),
    ],
)
def test_mistakes_are_said_with_the_next_step(
    episodes: Path, options: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['data', 'check', str(episodes), *options], KNOWN) == 2
    assert complaint in capsys.readouterr().err
