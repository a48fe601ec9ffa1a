"""How long each stage of perception takes, how often it acts, and what became of the pictures."""

from __future__ import annotations

import threading
from collections import Counter, deque
from statistics import median
from typing import Literal, get_args

Stage = Literal['receive', 'wait', 'check', 'prepare', 'infer', 'hand_over', 'decode', 'publish']
STAGES: tuple[Stage, ...] = get_args(Stage)
KEPT = 50  # looks that the medians are of: ten seconds
RATE_S = 5.0
Fate = Literal['acted', 'not_due', 'overtaken', 'out_of_order', 'refused', 'no_instruction']


class PerceptionTiming:
    """One thread notes, another reads.

    Stages: ``receive`` from the stamp to the callback, ``wait`` until the thread took it,
    ``check`` conversion, checks, arm and camera, ``prepare`` and ``infer`` in the worker,
    ``hand_over`` to the worker and back, ``decode`` the rest of ``pipeline.predict``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stages: dict[Stage, deque[float]] = {stage: deque(maxlen=KEPT) for stage in STAGES}
        self._acted_s: deque[float] = deque()
        self._fates: Counter[Fate] = Counter()

    def note_stages(self, spent_s: dict[Stage, float]) -> None:
        """Times of one look."""
        with self._lock:
            for stage, seconds in spent_s.items():
                self._stages[stage].append(seconds)

    def note_fate(self, fate: Fate, now_s: float, count: int = 1) -> None:
        """What became of so many pictures."""
        with self._lock:
            self._fates[fate] += count
            if fate == 'acted':
                self._acted_s.append(now_s)

    def values(self, now_s: float) -> dict[str, str]:
        """For a status message: medians in ms, actions per second, counts."""
        with self._lock:
            while self._acted_s and self._acted_s[0] < now_s - RATE_S:
                self._acted_s.popleft()
            stages = {
                f'{stage}_ms': f'{median(times) * 1e3:.2f}'
                for stage, times in self._stages.items()
                if times
            }
            rate = {'rate_hz': f'{len(self._acted_s) / RATE_S:.1f}'}
            return {**rate, **stages, **{fate: str(n) for fate, n in self._fates.items()}}
