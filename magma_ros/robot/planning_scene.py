"""What stands around the arm, as boxes in its base frame: ``config/planning_scene.yaml``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from magma_ros.errors import ConfigurationError
from magma_ros.resources import config_path
from magma_ros.robot.arm_profile import ArmProfile

KEYS = {
    'table': {'top_m', 'thickness_m', 'min_xy_m', 'max_xy_m'},
    'walls': {'sides', 'margin_m', 'thickness_m', 'height_m'},
    'camera_post': {'centre_m', 'size_m'},
}
SIDES = ('front', 'back', 'left', 'right')  # +x, -x, +y, -y of the base link
LENGTHS = {'min_xy_m': 2, 'max_xy_m': 2, 'centre_m': 3, 'size_m': 3}
FARTHEST_M = 5.0


@dataclass(frozen=True)
class SceneBox:
    """A box parallel to the axes of the base link."""

    name: str
    centre_in_base_m: tuple[float, float, float]
    size_m: tuple[float, float, float]


def load_planning_scene(profile: ArmProfile, path: Path | None = None) -> tuple[SceneBox, ...]:
    """The boxes around an arm; walls stand ``margin_m`` outside the profile's workspace box.

    Raises:
        ConfigurationError: an unknown or missing key, or a value that makes no sense; the message
            lists what is valid.
    """
    path = path or config_path('planning_scene.yaml')
    try:
        section = YAML(typ='safe').load(path.read_text())['planning_scene']
    except (YAMLError, KeyError, TypeError) as error:
        raise ConfigurationError(f'{path} needs a section planning_scene: {error!r}') from error
    wrong = _complaints(section)
    if wrong:
        raise ConfigurationError(f'{path}: {"; ".join(wrong)}')
    boxes = [] if section['table'] is None else [_table(section['table'])]
    if section['walls'] is not None:
        boxes += _walls(section['walls'], profile)
    if section['camera_post'] is not None:
        post = section['camera_post']
        boxes.append(SceneBox('camera_post', tuple(post['centre_m']), tuple(post['size_m'])))
    return tuple(boxes)


def _table(table: dict[str, Any]) -> SceneBox:
    (x_min, y_min), (x_max, y_max) = table['min_xy_m'], table['max_xy_m']
    z = table['top_m'] - table['thickness_m'] / 2
    size_m = (x_max - x_min, y_max - y_min, table['thickness_m'])
    return SceneBox('table', ((x_min + x_max) / 2, (y_min + y_max) / 2, z), size_m)


def _walls(walls: dict[str, Any], profile: ArmProfile) -> list[SceneBox]:
    margin_m, thickness_m, height_m = (
        walls[name] for name in ('margin_m', 'thickness_m', 'height_m')
    )
    low = [value - margin_m for value in profile.limits.box_min_m[:2]]
    high = [value + margin_m for value in profile.limits.box_max_m[:2]]
    middle = [(a + b) / 2 for a, b in zip(low, high, strict=True)]
    length = [b - a for a, b in zip(low, high, strict=True)]
    out = thickness_m / 2
    places = {
        'front': ((high[0] + out, middle[1]), (thickness_m, length[1])),
        'back': ((low[0] - out, middle[1]), (thickness_m, length[1])),
        'left': ((middle[0], high[1] + out), (length[0], thickness_m)),
        'right': ((middle[0], low[1] - out), (length[0], thickness_m)),
    }
    return [
        SceneBox(f'wall_{side}', (*places[side][0], height_m / 2), (*places[side][1], height_m))
        for side in walls['sides']
    ]


def _complaints(section: Any) -> list[str]:
    if not isinstance(section, dict) or set(section) != set(KEYS):
        return [f'planning_scene must have the keys {sorted(KEYS)}; null leaves one out']
    wrong = []
    for name, part in section.items():
        if part is None:
            continue
        if not isinstance(part, dict) or set(part) != KEYS[name]:
            wrong.append(f'{name} must have the keys {sorted(KEYS[name])}')
            continue
        wrong += [
            f'{name}: {key} is {value!r}; it must be {_wanted(key)}'
            for key, value in part.items()
            if not _is_sound(key, value)
        ]
    if not wrong and section['table'] is not None:
        table = section['table']
        if not all(a < b for a, b in zip(table['min_xy_m'], table['max_xy_m'], strict=True)):
            wrong.append('table: min_xy_m must be below max_xy_m on both axes')
    return wrong


def _is_sound(key: str, value: Any) -> bool:
    if key == 'sides':
        is_list = isinstance(value, list) and len(set(map(str, value))) == len(value)
        return is_list and set(map(str, value)) <= set(SIDES)
    if key in LENGTHS:
        is_list = isinstance(value, list) and len(value) == LENGTHS[key]
        return is_list and all(_is_length(one, key == 'size_m') for one in value)
    return _is_length(value, key != 'top_m')


def _is_length(value: Any, positive: bool) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    in_range = is_number and math.isfinite(value) and abs(value) <= FARTHEST_M
    return in_range and (value > 0 or not positive)


def _wanted(key: str) -> str:
    if key == 'sides':
        return f'a list of some of {list(SIDES)}'
    count = f'{LENGTHS[key]} numbers' if key in LENGTHS else 'a number'
    return f'{count} in m, at most {FARTHEST_M:g}' + (
        '' if key in ('top_m', 'min_xy_m', 'max_xy_m', 'centre_m') else ', above 0'
    )
