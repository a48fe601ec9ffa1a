"""Trace-of-Mark labels for samples, while they go by; a gap ends all traces before it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from magma_ros.dataset.features.sampling import Gap, Sample
from magma_ros.dataset.traces.episode_traces import label_frames
from magma_ros.dataset.traces.tracker import Picture


def with_labels(items: Iterable[Sample | Gap], camera: str) -> Iterator[Sample | Gap]:
    """The same samples with labels of one camera's pictures, some frames later than they came."""
    for is_gap, run in groupby(items, key=lambda item: isinstance(item, Gap)):
        if is_gap:
            yield from run
        else:
            yield from _labelled((item for item in run if isinstance(item, Sample)), camera)


def _labelled(samples: Iterable[Sample], camera: str) -> Iterator[Sample]:
    waiting: deque[Sample] = deque()

    def pictures() -> Iterator[Picture]:
        for sample in samples:
            waiting.append(sample)
            rgb = sample.pictures[camera].camera_rgb
            assert rgb is not None
            yield rgb

    for labels in label_frames(pictures()):
        yield replace(waiting.popleft(), labels=labels)
