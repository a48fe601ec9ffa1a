"""What a benchmark prints: entries with baseline, ratio and goal, and the kind of machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

VERSIONS = ('magma_ros', 'numpy', 'onnxruntime', 'torch', 'transformers')


@dataclass(frozen=True)
class Entry:
    """One measured figure.

    ``goal`` is compared with ``ratio`` when there is a baseline, else with ``value``; lower is
    better unless ``higher_is_better``. Whatever the figure, an entry with ``complaints`` fails.
    """

    name: str
    value: float
    unit: str
    goal: float
    baseline: float | None = None
    higher_is_better: bool = False
    complaints: tuple[str, ...] = ()  # what else was not as it should be

    @property
    def ratio(self) -> float | None:
        """Value over baseline."""
        return None if not self.baseline else self.value / self.baseline

    @property
    def is_passed(self) -> bool:
        """Whether the goal is met and nothing else was wrong."""
        if self.complaints:
            return False
        measured = self.value if self.ratio is None else self.ratio
        return measured >= self.goal if self.higher_is_better else measured <= self.goal


def as_record(entries: Sequence[Entry]) -> dict[str, Any]:
    """``{machine, entries: [{name, value, unit, baseline, ratio, goal, pass}]}``."""
    return {
        'machine': describe_machine(),
        'entries': [
            {
                **{name: value for name, value in asdict(entry).items()},
                'ratio': entry.ratio,
                'pass': entry.is_passed,
            }
            for entry in entries
        ],
    }


def describe_machine() -> dict[str, Any]:
    """Processor, cores, kernel, versions and load; nothing that names the machine."""
    cpu_info = Path('/proc/cpuinfo')
    names = [
        line.split(':', 1)[1].strip()
        for line in (cpu_info.read_text().splitlines() if cpu_info.is_file() else [])
        if line.startswith('model name')
    ]
    return {
        'processor': names[0] if names else platform.machine(),
        'cores': os.cpu_count(),
        'kernel': platform.release(),
        'python': platform.python_version(),
        'versions': {name: _version(name) for name in VERSIONS},
        'load_1min': round(os.getloadavg()[0], 2),
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
