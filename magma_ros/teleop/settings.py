"""What a device is told: one dataclass for each kind of file in ``config/teleop/``.

Every key must be given, so that a file says everything; unknown ones are refused with the list.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from magma_ros.errors import ConfigurationError
from magma_ros.resources import config_path
from magma_ros.teleop.gesture import FRAMES, Frame
from magma_ros.yaml_tables import check_keys, load_yaml

DIRECTIONS = ('x', 'y', 'z', 'roll', 'pitch', 'yaw')  # of the frame; the last three turn about it
KEY_MEANINGS = (*(sign + name for name in DIRECTIONS for sign in '+-'), 'open', 'close', 'hold')
NO_BUTTON = -1


def _number(low: float, high: float) -> Any:
    return field(metadata={'range': (low, high)})


@dataclass(frozen=True, kw_only=True)
class _Common:
    """Of every device."""

    longest_hold_s: float = _number(1.0, 3600.0)  # of the deadman switch without letting go


@dataclass(frozen=True, kw_only=True)
class _Speeds(_Common):
    """Of devices that give a velocity."""

    frame: Frame
    speed_m_s: float = _number(0.001, 0.5)  # at full deflection, or of a held key
    turn_rad_s: float = _number(0.01, 3.0)


@dataclass(frozen=True, kw_only=True)
class AxesSettings(_Speeds):
    """Axes and buttons by number: gamepads and 6-axis mice."""

    axes: Mapping[str, tuple[tuple[int, float], ...]]  # direction: (axis, gain) that are added
    dead_zone: float = _number(0.0, 0.5)  # share of an axis that does nothing
    curve: float = _number(1.0, 4.0)
    smoothing_s: float = _number(0.0, 0.5)
    deadman_button: int = _number(NO_BUTTON, 99)  # NO_BUTTON: that of deadman_device
    deadman_device: str
    open_button: int = _number(NO_BUTTON, 99)
    close_button: int = _number(NO_BUTTON, 99)
    toggle_button: int = _number(NO_BUTTON, 99)


@dataclass(frozen=True, kw_only=True)
class AxesTopicSettings(AxesSettings):
    """The same, from a Joy topic."""

    silent_s: float = _number(0.02, 2.0)  # a topic that says nothing for so long is lost


@dataclass(frozen=True, kw_only=True)
class KeyboardSettings(_Speeds):
    """Keys of a terminal."""

    keys: Mapping[str, str]  # character: one of KEY_MEANINGS
    first_repeat_s: float = _number(0.1, 2.0)
    repeat_gap_s: float = _number(0.05, 0.5)
    tap_s: float = _number(0.02, 0.5)


@dataclass(frozen=True, kw_only=True)
class TwistSettings(_Common):
    """Velocities from a topic, that are sent only while a person holds a switch."""

    speed_m_s: float = _number(0.001, 0.5)  # faster messages are refused
    turn_rad_s: float = _number(0.01, 3.0)
    silent_s: float = _number(0.02, 2.0)  # longer silence is the release


@dataclass(frozen=True, kw_only=True)
class _Matched(_Common):
    """Of devices that begin where the arm is, or not at all."""

    match_m: float = _number(0.001, 0.1)
    match_turn_rad: float = _number(0.01, 0.6)
    deadman_device: str


@dataclass(frozen=True, kw_only=True)
class LeaderSettings(_Matched):
    """A second arm that is moved by hand."""

    joints: Mapping[str, Mapping[str, Any]]  # of the follower: {leader, sign, offset_rad}
    gripper: Mapping[str, Any]  # {joint, closed, open} of the leader
    match_joint_rad: float = _number(0.01, 1.0)
    jump_rad: float = _number(0.01, 1.0)  # between two messages
    silent_s: float = _number(0.02, 2.0)


@dataclass(frozen=True, kw_only=True)
class ReplaySettings(_Matched):
    """Recorded chunks once more."""


Settings = AxesSettings | KeyboardSettings | TwistSettings | LeaderSettings | ReplaySettings
KINDS: dict[str, type[Settings]] = {
    'keyboard': KeyboardSettings,
    'gamepad': AxesSettings,
    'joy': AxesTopicSettings,
    'spacemouse': AxesSettings,
    'spacenav': AxesTopicSettings,
    'twist': TwistSettings,
    'leader': LeaderSettings,
    'replay': ReplaySettings,
}


@dataclass(frozen=True)
class DeviceFile:
    """One file, read."""

    name: str
    kind: str  # a key of KINDS
    settings: Settings
    sha256: str  # of the file: goes with every chunk, so that a recording says how it was driven


def load_device_file(name: str) -> DeviceFile:
    """Read ``config/teleop/<name>.yaml``, or the file itself when ``name`` ends in .yaml.

    Raises:
        ConfigurationError: no such file, an unknown or missing key, or a value out of its range;
            the message lists what is valid.
    """
    path = Path(name) if name.endswith('.yaml') else config_path(f'teleop/{name}.yaml')
    if not path.is_file():
        raise ConfigurationError(f'{path} is not there; give a name of config/teleop or a file')
    values = load_yaml(path)
    kind = values.pop('kind', None) if isinstance(values, dict) else None
    if kind not in KINDS:
        raise ConfigurationError(f'{path}: kind is {kind!r}; kinds are {", ".join(KINDS)}')
    settings = read_settings(kind, values, str(path))
    return DeviceFile(path.stem, kind, settings, hashlib.sha256(path.read_bytes()).hexdigest())


def read_settings(kind: str, values: Any, where: str) -> Settings:
    """The settings of one kind from a table without its ``kind``.

    Raises:
        ConfigurationError: as :func:`load_device_file`.
    """
    known = tuple(one.name for one in fields(KINDS[kind]))
    check_keys(values, known, where, required=known)
    for one in fields(KINDS[kind]):
        value, bounds = values[one.name], one.metadata.get('range')
        if bounds is not None and not (_is_number(value) and bounds[0] <= value <= bounds[1]):
            raise ConfigurationError(
                f'{where}: {one.name} is {value!r}; it must be a number from {bounds[0]:g} to '
                f'{bounds[1]:g}'
            )
    if 'frame' in values and values['frame'] not in FRAMES:
        raise ConfigurationError(
            f'{where}: frame is {values["frame"]!r}; frames are {", ".join(FRAMES)}'
        )
    for name, check in _TABLES.items():
        if name in values:
            values = {**values, name: check(values[name], f'{where}: {name}')}
    return KINDS[kind](**values)


def _axes(table: Any, where: str) -> dict[str, tuple[tuple[int, float], ...]]:
    check_keys(table, DIRECTIONS, where)
    for direction, pairs in table.items():
        if not (isinstance(pairs, list) and all(map(_is_axis, pairs))):
            raise ConfigurationError(
                f'{where}: {direction} is {pairs!r}; it must be a list of [axis, gain] such as '
                '[[0, 1.0]], with axes from 0 on and gains from -1 to 1'
            )
    return {name: tuple((axis, gain) for axis, gain in pairs) for name, pairs in table.items()}


def _is_axis(pair: Any) -> bool:
    return (
        isinstance(pair, list)
        and len(pair) == 2
        and isinstance(pair[0], int)
        and not isinstance(pair[0], bool)
        and pair[0] >= 0
        and _is_number(pair[1])
        and abs(pair[1]) <= 1.0
    )


def _keys(table: Any, where: str) -> dict[str, str]:
    if not isinstance(table, dict):
        raise ConfigurationError(f'{where} must be a table of characters and {KEY_MEANINGS}')
    for key, meaning in table.items():
        if not (isinstance(key, str) and len(key) == 1 and meaning in KEY_MEANINGS):
            raise ConfigurationError(
                f'{where}: {key!r}: {meaning!r}; a single character in quotes must mean one of '
                f'{", ".join(KEY_MEANINGS)}'
            )
    return table


def _joints(table: Any, where: str) -> dict[str, dict[str, Any]]:
    keys = ('leader', 'sign', 'offset_rad')
    check_keys(table, table if isinstance(table, dict) else (), where)
    for name, one in table.items():
        check_keys(one, keys, f'{where}: {name}', required=keys)
        if one['sign'] not in (1, -1) or not _is_number(one['offset_rad']):
            raise ConfigurationError(
                f'{where}: {name}: sign must be 1 or -1 and offset_rad a number'
            )
    return table


def _gripper(table: Any, where: str) -> dict[str, Any]:
    keys = ('joint', 'closed', 'open')
    check_keys(table, keys, where, required=keys)
    ends = (table['closed'], table['open'])
    if not all(map(_is_number, ends)) or ends[0] == ends[1]:
        raise ConfigurationError(f'{where}: closed and open are {ends}; two different numbers')
    return table


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


_TABLES = {'axes': _axes, 'keys': _keys, 'joints': _joints, 'gripper': _gripper}
