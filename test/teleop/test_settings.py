"""Files of devices: all that are shipped can be read, and every mistake is named."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from magma_ros.errors import ConfigurationError
from magma_ros.resources import config_path
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.teleop.settings import KINDS, load_device_file

SHIPPED = sorted(config_path('teleop').glob('*.yaml'))


@pytest.mark.parametrize('path', SHIPPED, ids=lambda path: path.stem)
def test_shipped_files_are_read_and_each_value_has_a_reason(path: Path) -> None:
    file = load_device_file(path.stem)
    assert file.name == file.kind == path.stem
    assert len(file.sha256) == 64

    unexplained = [
        line
        for line in path.read_text().splitlines()
        if any(unit in line.split(':')[0] for unit in ('_s', '_rad', '_m', 'zone', 'curve'))
        and '#' not in line
        and not line.startswith(' ')
    ]
    assert unexplained == []


def test_there_is_a_file_for_each_kind() -> None:
    assert {path.stem for path in SHIPPED} == set(KINDS)


def test_the_page_names_every_file_and_every_key() -> None:
    page = (config_path('teleop').parents[1] / 'docs' / 'teleop.md').read_text()
    keys = load_device_file('keyboard').settings.keys  # type: ignore[union-attr]

    assert [path.name for path in SHIPPED if f'`{path.name}`' not in page] == []
    assert [key for key in keys if f' {key.strip() or "space"} ' not in page] == []


def test_a_gamepad_is_mapped_alike_however_it_is_read() -> None:
    direct, by_topic = (asdict(load_device_file(name).settings) for name in ('gamepad', 'joy'))

    assert {**direct, 'silent_s': by_topic['silent_s']} == by_topic


@pytest.mark.parametrize('path', SHIPPED, ids=lambda path: path.stem)
def test_shipped_speeds_are_within_the_limits_of_the_default_arm(path: Path) -> None:
    limits, settings = load_arm_profile('wx250s').limits, load_device_file(path.stem).settings
    assert getattr(settings, 'speed_m_s', 0.0) <= limits.speed_m_s
    assert getattr(settings, 'turn_rad_s', 0.0) <= limits.angular_speed_rad_s


@pytest.mark.parametrize(
    ('name', 'change', 'words'),
    [
        ('joy', {'speed': 1.0}, 'Did you mean speed_m_s'),
        ('joy', {'dead_zone': None}, 'dead_zone is None; it must be a number from 0 to 0.5'),
        ('joy', {'dead_zone': float('nan')}, 'dead_zone is nan'),
        ('joy', {'speed_m_s': 100.0}, 'from 0.001 to 0.5'),
        ('joy', {'frame': 'world'}, 'frames are base, tool, camera'),
        ('joy', {'axes': {'X': [[0, 1.0]]}}, r"The keys are \['pitch', 'roll', 'x', 'y', 'yaw'"),
        ('joy', {'axes': {'x': [0, 1.0]}}, r'must be a list of \[axis, gain\]'),
        ('joy', {'axes': {'x': [[-1, 1.0]]}}, 'axes from 0 on'),
        ('joy', {'axes': {'x': [[0, 9.0]]}}, 'gains from -1 to 1'),
        ('joy', {'axes': {'x': [[True, 1.0]]}}, 'axes from 0 on'),
        ('keyboard', {'keys': {'w': 'up'}}, r'must mean one of \+x, -x'),
        ('keyboard', {'keys': {'up': '+x'}}, 'a single character in quotes'),
        ('keyboard', {'keys': ['w']}, 'must be a table'),
        ('leader', {'joints': {'waist': {'leader': 'a', 'sign': 2, 'offset_rad': 0}}}, '1 or -1'),
        ('leader', {'joints': {'waist': {'leader': 'a', 'sign': 1}}}, 'offset_rad'),
        ('leader', {'gripper': {'joint': 'a', 'closed': 1, 'open': 1}}, 'two different numbers'),
        ('twist', {'silent_s': True}, 'silent_s is True'),
        ('twist', {'kind': 'mouse'}, 'kinds are keyboard, gamepad, joy'),
    ],
)
def test_mistakes_are_named(tmp_path: Path, name: str, change: dict, words: str) -> None:
    yaml = YAML(typ='safe')
    values = yaml.load(config_path(f'teleop/{name}.yaml').read_text())
    path = tmp_path / 'mine.yaml'
    with path.open('w') as file:
        yaml.dump({**values, **change}, file)

    with pytest.raises(ConfigurationError, match=words):
        load_device_file(str(path))


def test_a_missing_key_and_a_missing_file_are_named(tmp_path: Path) -> None:
    path = tmp_path / 'mine.yaml'
    path.write_text('kind: twist\nspeed_m_s: 0.1\n')
    with pytest.raises(ConfigurationError, match='turn_rad_s'):
        load_device_file(str(path))
    with pytest.raises(ConfigurationError, match='gamepad.yaml'):
        load_device_file('mouse')
    path.write_text('- kind\n')
    with pytest.raises(ConfigurationError, match='kind is None'):
        load_device_file(str(path))
    path.write_text('kind: [')
    with pytest.raises(ConfigurationError, match='is not YAML'):
        load_device_file(str(path))
