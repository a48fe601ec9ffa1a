"""What ``magma perceive`` writes: a film of the drawn pictures, and the actions as CSV."""

from __future__ import annotations

import csv
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.video import VideoWriter
from magma_ros.tools.perceive_steps import Look

VIDEO, TABLE = 'perceive.webm', 'actions.csv'
COLUMNS = (
    'stamp_ns',
    'x_m',
    'y_m',
    'z_m',
    'rotation_x_rad',
    'rotation_y_rad',
    'rotation_z_rad',
    'gripper_opening',
    'ids',
    'latency_ms',
    'fault',
)


class PerceiveFiles:
    """Grows with each look; whole after :meth:`close`.

    Args:
        folder: is made.
        rate_hz: of the video.

    Raises:
        ConfigurationError: the folder cannot be written to.
    """

    def __init__(self, folder: Path, rate_hz: float) -> None:
        self.folder, self._rate_hz = folder, rate_hz
        self._files = ExitStack()
        self._video: VideoWriter | None = None
        self._latencies_s: list[float] = []
        self._lengths_m: list[float] = []
        self._refused: dict[str, int] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            table = self._files.enter_context(
                (folder / TABLE).open('w', newline='', encoding='utf-8')
            )
        except OSError as error:
            raise ConfigurationError(
                f'{folder} cannot be written to ({error}): choose another --out'
            ) from error
        self._rows = csv.writer(table)
        self._rows.writerow(COLUMNS)

    @property
    def answered(self) -> int:
        """Pictures the model said something about."""
        return len(self._latencies_s)

    def add(self, look: Look) -> None:
        """One more row and frame."""
        if self._video is None:
            size_px = (look.picture.shape[1], look.picture.shape[0])
            writer = VideoWriter(self.folder / VIDEO, size_px, self._rate_hz)
            self._video = self._files.enter_context(writer)
        self._video.add(look.picture)
        if look.delta is None:
            self._refused[look.fault] = self._refused.get(look.fault, 0) + 1
            self._rows.writerow([look.stamp_ns, *[''] * 9, look.fault])
            return
        seven = [
            *look.delta.translation_m.tolist(),
            *look.delta.rotation_vector_rad.tolist(),
            look.delta.gripper_opening,
        ]
        self._latencies_s.append(look.latency_s)
        self._lengths_m.append(float(np.linalg.norm(look.delta.translation_m)))
        self._rows.writerow(
            [
                look.stamp_ns,
                *(f'{value:.6f}' for value in seven),
                ' '.join(map(str, look.ids)),
                f'{look.latency_s * 1e3:.2f}',
                '',
            ]
        )

    def close(self) -> None:
        """End both files."""
        self._files.close()

    def summary(self) -> list[str]:
        """What came of it, in lines."""
        refused = ''.join(f'; {count} not used: {why}' for why, count in self._refused.items())
        lines = [f'{self.answered} pictures answered{refused}']
        if self.answered:
            p50, p99 = (np.percentile(self._latencies_s, (50, 99)) * 1e3).tolist()
            mean_mm = float(np.mean(self._lengths_m)) * 1e3
            lines.append(
                f'an action takes {p50:.1f} ms (p50), {p99:.1f} ms (p99) and moves the gripper '
                f'{mean_mm:.1f} mm on average'
            )
        if self._video is not None:
            lines.append(f'written: {self.folder / VIDEO}, {self.folder / TABLE}')
        return lines
