"""One converted episode on disk, before it becomes part of a dataset.

A folder with ``steps.npz``, ``about.json`` and its frames. It is written under another name and
renamed at the end: a folder that is there is whole.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magma_ros.dataset.actions.steps import Step
from magma_ros.image.picture_file import read_picture

STEPS, ABOUT, FIRST = 'steps.npz', 'about.json', 'first.jpg'


@dataclass(frozen=True)
class StagedEpisode:
    """See the module. ``about`` is plain JSON; see episode_conversion.py for its keys."""

    folder: Path
    about: dict[str, Any]

    @property
    def name(self) -> str:
        """Bag and number of the part."""
        return str(self.about['name'])

    @property
    def length(self) -> int:
        """Steps."""
        return int(self.about['steps'])

    def steps(self) -> dict[str, NDArray]:
        """Columns of the steps: see :func:`columns_of`."""
        with np.load(self.folder / STEPS, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}

    def first_picture(self) -> NDArray[np.uint8]:
        """Of the policy's camera."""
        return read_picture(self.folder / FIRST)

    def frame(self, camera: str, index: int) -> Path:
        """One picture, where they are JPEG."""
        return self.folder / 'frames' / camera / f'{index:06d}.jpg'

    def video(self, camera: str) -> Path:
        """The video of a camera, where there are videos."""
        return self.folder / f'{camera}.mp4'


def load_staged(folder: Path) -> StagedEpisode:
    """An episode that was converted."""
    return StagedEpisode(folder, json.loads((folder / ABOUT).read_text(encoding='utf-8')))


class StepRows:
    """Gathers the numbers of steps, two hundred bytes each."""

    def __init__(self) -> None:
        self._numbers = array('d')  # state, action, joints
        self._times = array('q')  # time, stamp, age
        self._texts: list[tuple[str, str]] = []  # the same objects again and again

    def __len__(self) -> int:
        """Steps so far."""
        return len(self._texts)

    def add(self, step: Step) -> None:
        """Take up a step; its pictures go elsewhere."""
        sample = step.sample
        first = next(iter(sample.pictures.values()))
        for values in (step.state, step.action, sample.arm.joint_positions_rad):
            self._numbers.extend(values.tolist())
        self._times.extend((sample.time_ns, first.stamp_ns, first.age_ns))
        self._texts.append((sample.instruction, sample.commanded.source))

    def write(self, folder: Path) -> None:
        """Write ``steps.npz``."""
        count = len(self)
        numbers = np.array(self._numbers).reshape(count, -1) if count else np.zeros((0, 14))
        times = np.array(self._times, np.int64).reshape(count, 3)
        texts = np.array(self._texts, str).reshape(count, 2)
        np.savez(
            folder / STEPS,
            state=numbers[:, :7],
            action=numbers[:, 7:14],
            joints=numbers[:, 14:],
            time_ns=times[:, 0],
            stamp_ns=times[:, 1],
            age_ns=times[:, 2],
            instruction=texts[:, 0],
            source=texts[:, 1],
        )


def hash_file(path: Path) -> str:
    """sha256 of a file."""
    digest = hashlib.sha256()
    with path.open('rb') as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
