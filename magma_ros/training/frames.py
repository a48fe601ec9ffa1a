"""Labelled frames as arrays: what demonstrations are stored as and training reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from magma_ros.sim.tasks import CUBES, DIRECTIONS, RECEPTACLES, TASK_KINDS, Task

MAX_PATH_POINTS = 5
PRESENCE = CUBES + RECEPTACLES  # order of the object columns; the tool comes last
NO_EVENT, CLOSE, OPEN = 0, 1, 2


@dataclass
class Demonstrations:
    """Frames of many episodes as arrays; n frames, k labels each.

    ``places`` are (x, y) of PRESENCE and the tool in the picture, 0..1, NaN where absent.
    ``tasks`` holds :func:`task_indices`. Paths are on Magma's 256 x 256 grid.
    """

    images: np.ndarray  # (n, 256, 256, 3) uint8
    states: np.ndarray  # (n, 7) uint8
    places: np.ndarray  # (n, 7, 2) float32
    yaws: np.ndarray  # (n, 3) float32, rotation of each cube about base z, rad
    tasks: np.ndarray  # (n, k, 3) int8
    actions: np.ndarray  # (n, k, 7) float32, normalised to [-1, 1], gripper 0 or 1
    tools: np.ndarray  # (n, 2) int16, the tool now on the grid
    paths: np.ndarray  # (n, k, MAX_PATH_POINTS, 2) int16, -1 after the end
    events: np.ndarray  # (n, k, MAX_PATH_POINTS) int8
    episodes: np.ndarray  # (n,) int32, seed of the episode

    FIELDS = (
        'states',
        'places',
        'yaws',
        'tasks',
        'actions',
        'tools',
        'paths',
        'events',
        'episodes',
    )

    def save(self, folder: Path, note: dict[str, object]) -> None:
        """Write images.npy, labels.npz and note.json."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / 'images.npy', self.images)
        np.savez(folder / 'labels.npz', **{name: getattr(self, name) for name in self.FIELDS})
        (folder / 'note.json').write_text(json.dumps(note, indent=1))

    @classmethod
    def load(cls, folder: Path) -> Demonstrations:
        """Memory-map the images, read the labels."""
        labels = np.load(folder / 'labels.npz', allow_pickle=False)
        return cls(
            np.load(folder / 'images.npy', mmap_mode='r'),
            **{name: labels[name] for name in cls.FIELDS},
        )


def join_labels(parts: Sequence[Demonstrations]) -> Demonstrations:
    """The labels of several sets as one; their pictures are left out."""
    fields = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in Demonstrations.FIELDS
    }
    return Demonstrations(np.empty(0, np.uint8), **fields)


def join(parts: list[Demonstrations]) -> Demonstrations:
    """One set of frames from several."""
    fields = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in Demonstrations.FIELDS
    }
    return Demonstrations(np.concatenate([part.images for part in parts]), **fields)


def task_from_indices(kind: int, target: int, other: int) -> Task:
    """Inverse of :func:`task_indices`."""
    name = TASK_KINDS[kind]
    return Task(
        name,
        CUBES[target],
        destination=RECEPTACLES[other] if name == 'put' else None,
        direction=DIRECTIONS[other] if name == 'push' else None,
    )


def task_indices(task: Task) -> tuple[int, int, int]:
    """(kind, target, destination or direction) as indices, -1 for none."""
    other = -1
    if task.destination:
        other = RECEPTACLES.index(task.destination)
    elif task.direction:
        other = DIRECTIONS.index(task.direction)
    return TASK_KINDS.index(task.kind), CUBES.index(task.target), other
