"""Files that belong to a trial; their names say when it was its turn, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from magma_ros.errors import RecordingError
from magma_ros.evaluation.summary_page import make_thumbnail

MOTION, PICTURES = 'motion', 'pictures'


def save_motion(folder: Path, stem: str, times_s: ArrayLike, positions_m: ArrayLike) -> str:
    """Times (n,) and positions (n, 3) of the end effector, base frame.

    Returns:
        The path, relative to ``folder``.

    Raises:
        RecordingError: it cannot be written.
    """
    path = folder / MOTION / f'{stem}.npz'
    try:
        path.parent.mkdir(exist_ok=True)
        np.savez_compressed(
            path,
            t_s=np.asarray(times_s, float),
            position_m=np.asarray(positions_m, float).reshape(-1, 3),
        )
    except OSError as error:
        raise RecordingError(f'{path} cannot be written: {error.strerror}') from error
    return path.relative_to(folder).as_posix()


def save_picture(folder: Path, stem: str, rgb: NDArray[np.uint8]) -> str:
    """A small JPEG of a picture (height, width, 3); the path relative to ``folder``.

    Raises:
        RecordingError: it cannot be written.
    """
    path = folder / PICTURES / f'{stem}.jpg'
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(make_thumbnail(rgb))
    except OSError as error:
        raise RecordingError(f'{path} cannot be written: {error.strerror}') from error
    return path.relative_to(folder).as_posix()
