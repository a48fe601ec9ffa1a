"""A folder to write a model into: new or empty, on a disk with enough room."""

from __future__ import annotations

import shutil
from pathlib import Path

from magma_ros.errors import ConfigurationError
from magma_ros.model.weights.memory_estimate import format_bytes


def make_output_folder(directory: Path, wanted_bytes: int) -> None:
    """Makes it if it is missing.

    Raises:
        ConfigurationError: it cannot be made, it is not empty, or the disk has too little room.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ConfigurationError(
            f'{directory} is not empty and is left alone: choose another folder, or remove it'
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f'{directory} cannot be made ({error}): choose another folder'
        ) from error
    require_disk_space(directory, wanted_bytes)


def require_disk_space(directory: Path, wanted_bytes: int) -> None:
    """Raises ConfigurationError if less is free on the disk of an existing folder."""
    free = shutil.disk_usage(directory).free
    if free < wanted_bytes:
        raise ConfigurationError(
            f'{directory} has {format_bytes(free)} free, {format_bytes(wanted_bytes)} are '
            'needed: choose another disk, or a smaller size or precision'
        )
