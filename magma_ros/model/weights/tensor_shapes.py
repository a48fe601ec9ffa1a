"""What tensors a model must have, and a readable difference to what was found (torch)."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from magma_ros.errors import ModelError
from magma_ros.model.network.magma import MagmaForAction
from magma_ros.model.network.magma_config import MagmaConfig

Shape = tuple[int, ...]

LISTED_DIFFERENCES = 12


def expected_shapes(config: MagmaConfig) -> dict[str, Shape]:
    """Name and shape of every tensor, without allocating any."""
    with torch.device('meta'):
        model = MagmaForAction(config)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def find_differences(found: Mapping[str, Shape], config: MagmaConfig) -> list[str]:
    """One line for each tensor that is missing, unknown or of another shape."""
    expected = expected_shapes(config)
    differences = [f'missing  {name} {expected[name]}' for name in sorted(expected.keys() - found)]
    differences += [f'unknown  {name} {found[name]}' for name in sorted(found.keys() - expected)]
    differences += [
        f'shape    {name} is {found[name]}, expected {expected[name]}'
        for name in sorted(expected.keys() & found)
        if found[name] != expected[name]
    ]
    return differences


def check_shapes(found: Mapping[str, Shape], config: MagmaConfig) -> None:
    """Raises ModelError that lists what is missing, unknown or of another shape."""
    differences = find_differences(found, config)
    if differences:
        listed = '\n  '.join(differences[:LISTED_DIFFERENCES])
        rest = len(differences) - LISTED_DIFFERENCES
        more = f'\n  and {rest} more' if rest > 0 else ''
        raise ModelError(
            f'the {len(found)} tensors are not those of {config.name}:\n  {listed}{more}\n'
            'give the folder of the matching checkpoint, or the config.json of these weights'
        )
