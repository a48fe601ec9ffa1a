"""Initial conditions: seeds of scenes in simulation, reference pictures of a real table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.sessions.table_fields import check_name, number, read_table

PICTURES = ('.jpg', '.jpeg', '.png')
MOST_LAYOUTS = 1000


@dataclass(frozen=True)
class SceneLayouts:
    """Scenes that the simulation lays exactly: one for each seed."""

    first_seed: int = number(0, 2**31 - 1 - MOST_LAYOUTS)
    count: int = number(1, MOST_LAYOUTS)
    held_out: bool = False  # phrasings that training never saw
    distractors: int = number(0, 2, 0)
    brightness: float = number(0.0, 0.9, 0.1)  # light varies by this share

    @property
    def ids(self) -> list[str]:
        """The seeds."""
        return [str(self.first_seed + index) for index in range(self.count)]


@dataclass(frozen=True)
class PictureLayouts:
    """Tables that a person lays until the camera sees what the picture shows."""

    pictures: dict[str, Path]  # by name

    @property
    def ids(self) -> list[str]:
        """Names of the files."""
        return list(self.pictures)


Layouts = SceneLayouts | PictureLayouts


def read_layouts(values: Any, is_real: bool, folder: Path, where: str) -> Layouts:
    """Layouts from their table.

    Args:
        values: ``first_seed`` and ``count`` in simulation, ``pictures`` (a folder) on hardware.
        is_real: hardware.
        folder: that a relative path is below of.
        where: for messages.

    Raises:
        ConfigurationError: keys or values are unknown, or the folder has no pictures.
    """
    if not is_real:
        return read_table(SceneLayouts, values, where)
    table = read_table(_PictureFolder, values, where)
    place = folder / table.pictures
    files = sorted(path for path in _list(place) if path.suffix.lower() in PICTURES)
    if not files:
        raise ConfigurationError(
            f'{where}: {place} has no pictures ({", ".join(PICTURES)}); take one of each layout '
            'with the camera the policies see'
        )
    pictures = {check_name(path.stem, f'{where}: {path.name}'): path for path in files}
    if len(pictures) < len(files):
        raise ConfigurationError(f'{where}: two pictures in {place} have the same name')
    return PictureLayouts(pictures)


@dataclass(frozen=True)
class _PictureFolder:
    pictures: str


def _list(place: Path) -> Sequence[Path]:
    return [path for path in place.iterdir() if path.is_file()] if place.is_dir() else []
