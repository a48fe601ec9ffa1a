"""The course of a run: JSON lines and PNG curves, and torch's TensorBoard where installed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOG_FILE = 'log.jsonl'
CURVES_FILE = 'curves.png'
PANELS = ('loss', 'action_token_accuracy', 'l1_mm', 'l1_deg', 'l1_gripper', 'trace_error_px')


class RunLog:
    """Appends to ``log.jsonl``; what a killed run noted after its last snapshot is dropped."""

    def __init__(self, folder: Path, resumed_at: int) -> None:
        self._path, self._folder = folder / LOG_FILE, folder
        self._entries = [
            entry for entry in read_log(self._path) if int(entry['step']) <= resumed_at
        ]
        lines = ''.join(json.dumps(entry) + '\n' for entry in self._entries)
        self._path.write_text(lines, encoding='utf-8')
        self._board = _open_board(folder, resumed_at)

    def note(self, part: str, step: int, values: Mapping[str, float]) -> None:
        """One line; ``part`` is train or validation."""
        entry = {'part': part, 'step': step, **{k: float(v) for k, v in values.items()}}
        self._entries.append(entry)
        with self._path.open('a', encoding='utf-8') as file:
            file.write(json.dumps(entry) + '\n')
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(f'{part}/{name}', value, step)

    def newest(self, part: str) -> dict[str, Any]:
        """The last line of a part; empty before the first."""
        return next((entry for entry in reversed(self._entries) if entry['part'] == part), {})

    def draw(self) -> Path:
        """The curves so far as a picture."""
        from matplotlib.figure import Figure

        names = [name for name in PANELS if any(name in entry for entry in self._entries)]
        figure = Figure(figsize=(4 * max(1, len(names)), 3.2), layout='constrained')
        panels = figure.subplots(1, max(1, len(names)), squeeze=False)[0]
        for panel, name in zip(panels, names, strict=False):
            for part in ('train', 'validation'):
                points = [
                    (entry['step'], entry[name])
                    for entry in self._entries
                    if entry['part'] == part and name in entry
                ]
                panel.plot(*zip(*points, strict=True) if points else ([], []), label=part)
            panel.set(title=name, xlabel='step')
            panel.legend()
        path = self._folder / CURVES_FILE
        figure.savefig(path, dpi=100)
        return path

    def close(self) -> None:
        """Write what is waiting."""
        if self._board is not None:
            self._board.close()


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a log; the last one may be cut off."""
    if not path.is_file():
        return []
    entries = []
    for line in path.read_text(encoding='utf-8').splitlines():
        try:
            entries.append(json.loads(line))
        except ValueError:
            break  # written by a process that was killed meanwhile
    return entries


def _open_board(folder: Path, resumed_at: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder / 'tensorboard'), purge_step=resumed_at + 1)
