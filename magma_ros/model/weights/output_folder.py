"""A folder to write a model into: new or empty, on a disk with enough room."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from magma_ros.errors import ConfigurationError
from magma_ros.model.weights.memory_estimate import format_bytes


@contextmanager
def filling(directory: Path, wanted_bytes: int) -> Iterator[None]:
    """A folder that is filled within the context, or is as it was: missing or empty.

    Raises:
        ConfigurationError: it cannot be made, it is not empty, the disk has too little room, or
            writing failed.
    """
    existed = directory.exists()
    make_output_folder(directory, wanted_bytes)
    try:
        yield
    except BaseException as error:  # also Ctrl-C: half a model must not look like one
        _empty(directory)
        if not existed:
            directory.rmdir()
        if isinstance(error, (OSError, SafetensorError)):
            raise ConfigurationError(
                f'writing into {directory} failed ({error}): what was written is removed. Free '
                'the disk, or choose another folder'
            ) from error
        raise


def _empty(directory: Path) -> None:
    for path in directory.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


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
