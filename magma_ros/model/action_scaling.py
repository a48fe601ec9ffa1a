"""Between normalised actions and metres, radians and gripper openings, by named statistics.

Formulas: OpenVLA and Magma ``rlds/utils/data_utils.py`` (q01 and q99 map to -1 and +1 where the
mask is true). Wrong statistics are wrong motions, so there is no default key: with several to
choose from, one must be named.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from magma_ros.data_types import EndEffectorDelta, FloatArray
from magma_ros.errors import ConfigurationError
from magma_ros.model.action_tokens import ACTION_LENGTH
from magma_ros.rotations import euler_from_rotation_vector, rotation_vector_from_euler

LARGEST = 1e6  # m, rad or opening per action: beyond, a file is not in these units


@dataclass(frozen=True)
class ActionStatistics:
    """Range of each of the seven dimensions: m, m, m, rad, rad, rad (Euler), gripper."""

    key: str
    q01: FloatArray  # (7,)
    q99: FloatArray  # (7,)
    mask: NDArray[np.bool_]  # (7,); false dimensions are left as they are


def shipped_keys() -> list[str]:
    """Names of the statistics that come with the package."""
    folder = resources.files('magma_ros') / 'assets' / 'action_statistics'
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith('.json'))


def load_statistics(key: str | None, path: Path | None = None) -> ActionStatistics:
    """Statistics by name, from the package or from an OpenVLA-style ``dataset_statistics.json``.

    Args:
        key: name of the dataset; may be none only if ``path`` holds exactly one.
        path: file with ``{key: {"action": {"q01": ..., "q99": ..., "mask": ...}}}``; without a
            mask all seven are scaled. None means the package's own, each of which names its
            source.

    Raises:
        ConfigurationError: the key is missing or ambiguous (the message lists the valid ones), or
            the file is unusable.
    """
    if path is None:
        if key is None or key not in shipped_keys():
            raise ConfigurationError(
                f'action statistics {key!r} do not exist: choose one of {shipped_keys()} '
                'or give a dataset_statistics.json'
            )
        asset = resources.files('magma_ros') / 'assets' / 'action_statistics' / f'{key}.json'
        return _statistics(key, json.loads(asset.read_text(encoding='utf-8')), 'the package')
    datasets = _read_datasets(path)
    if key is None and len(datasets) == 1:
        key = next(iter(datasets))
    if key is None or key not in datasets:
        raise ConfigurationError(
            f'{path} has no statistics {key!r}: choose one of {sorted(datasets)}'
        )
    return _statistics(key, datasets[key], str(path))


def choose_statistics(folder: Path, wanted: str | None, own: str | None) -> ActionStatistics:
    """The statistics asked for, else the model's own.

    Raises:
        ConfigurationError: neither is there, or the model was trained with others.
    """
    if own is not None and wanted is not None and own != wanted:
        raise ConfigurationError(
            f'the model in {folder} was trained with the action statistics {own!r}, not '
            f'{wanted!r}: leave --statistics out'
        )
    key = wanted or own
    beside = folder / 'dataset_statistics.json'
    if beside.is_file() and (key not in shipped_keys() or key in _read_datasets(beside)):
        return load_statistics(key, beside)  # its own, also where the package has the same name
    return load_statistics(key)


def unnormalise(normalised: ArrayLike, statistics: ActionStatistics) -> FloatArray:
    """(..., 7) in [-1, 1] -> (..., 7) in metres, radians (Euler), gripper opening."""
    values = np.asarray(normalised, dtype=float)
    scaled = 0.5 * (values + 1.0) * (statistics.q99 - statistics.q01) + statistics.q01
    return np.where(statistics.mask, scaled, values)


def normalise(action: ArrayLike, statistics: ActionStatistics) -> FloatArray:
    """Inverse of :func:`unnormalise` for training; clipped to [-1, 1] where the mask is true."""
    values = np.asarray(action, dtype=float)
    span = statistics.q99 - statistics.q01
    scaled = np.clip(2.0 * (values - statistics.q01) / (span + 1e-8) - 1.0, -1.0, 1.0)
    scaled = np.where(span == 0.0, 0.0, scaled)
    return np.where(statistics.mask, scaled, values)


def decode_delta(normalised: ArrayLike, statistics: ActionStatistics) -> EndEffectorDelta:
    """Seven normalised values -> a delta: Euler angles become a rotation vector, gripper 0..1."""
    action = unnormalise(normalised, statistics)
    return EndEffectorDelta(
        translation_m=action[:3],
        rotation_vector_rad=rotation_vector_from_euler(action[3:6]),
        gripper_opening=float(np.clip(action[6], 0.0, 1.0)),
    )


def encode_delta(delta: EndEffectorDelta, statistics: ActionStatistics) -> FloatArray:
    """Inverse of :func:`decode_delta`: (7,) normalised, for training."""
    euler_rad = euler_from_rotation_vector(delta.rotation_vector_rad)
    action = np.concatenate([delta.translation_m, euler_rad, [delta.gripper_opening]])
    return normalise(action, statistics)


def _read_datasets(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ConfigurationError(
            f'{path} does not exist: give the dataset_statistics.json of the checkpoint'
        )
    try:
        datasets = json.loads(path.read_text(encoding='utf-8'))
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f'{path} is not JSON ({error}): copy it again') from error
    if not isinstance(datasets, dict) or not datasets:
        raise ConfigurationError(
            f'{path} must hold {{dataset: {{"action": ...}}}}, but is {str(datasets)[:40]}: '
            'give the dataset_statistics.json of the checkpoint'
        )
    return datasets


def _statistics(key: str, dataset: Any, where: str) -> ActionStatistics:
    entries = dataset.get('action') if isinstance(dataset, dict) else None
    if not isinstance(entries, dict):
        entries = {}
    q01, q99 = (_seven_numbers(entries.get(name)) for name in ('q01', 'q99'))
    mask = entries.get('mask', [True] * ACTION_LENGTH)
    is_mask = isinstance(mask, list) and [type(flag) for flag in mask] == [bool] * ACTION_LENGTH
    if q01 is None or q99 is None or not is_mask or (q01 > q99).any():
        raise ConfigurationError(
            f'action statistics {key!r} of {where} need seven numbers in each of "q01" and "q99", '
            'none of "q01" above "q99", and in "mask", if there is one, seven times true or '
            'false: recompute them from the dataset'
        )
    return ActionStatistics(key, q01, q99, np.array(mask, bool))


def _seven_numbers(values: Any) -> FloatArray | None:
    if not isinstance(values, list) or len(values) != ACTION_LENGTH:
        return None
    # Not a number fails the comparison too.
    is_usable = all(type(value) in (int, float) and abs(value) <= LARGEST for value in values)
    return np.array(values, dtype=float) if is_usable else None
