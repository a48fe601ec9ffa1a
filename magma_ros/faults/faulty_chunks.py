"""Chunks that no policy should send, made from a good one. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from magma_ros.data_types import DeltaChunk, EndEffectorDelta

Change = Callable[[DeltaChunk], DeltaChunk]
FAR_NS = 10_000_000_000
LONG_AGO = 100  # chunks


def _delta(translation: list[float], rotation: list[float] | None = None) -> Change:
    wrong = EndEffectorDelta(np.array(translation), np.array(rotation or [0.0] * 3), 1.0)
    return lambda chunk: replace(chunk, deltas=(wrong,))


def _shifted(shift_ns: int) -> Change:
    return lambda chunk: replace(chunk, image_stamp_ns=chunk.image_stamp_ns + shift_ns)


# In metres, radians; the step limit is 0.05 m.
FAULTY_CHUNKS: dict[str, Change] = {
    'nan': _delta([math.nan, 0.0, 0.0]),
    'inf': _delta([0.0, math.inf, 0.0]),
    '-inf': _delta([0.0, 0.0, -math.inf]),
    '1e308': _delta([1e308, 0.0, 0.0]),
    'denormal': _delta([5e-324, 0.0, 0.0]),
    'six values': _delta([0.0, 0.01, 0.0], [0.0, 0.0]),
    'eight values': _delta([0.0, 0.01, 0.0], [0.0] * 4),
    'no values': lambda chunk: replace(chunk, deltas=()),
    'million values': _delta([0.0, 0.01, 0.0], [0.0] * 1_000_000),
    'ten times': _delta([0.0, 0.5, 0.0]),
    'twice': _delta([0.06, 0.06, 0.06]),
    'wrong frame': lambda chunk: replace(chunk, frame_id='camera_color_optical_frame'),
    'no frame': lambda chunk: replace(chunk, frame_id=''),
    'future': _shifted(FAR_NS),
    'stamp 0': lambda chunk: replace(chunk, image_stamp_ns=0),
    'stamp back': _shifted(-1_000_000_000),
    'repeated': lambda chunk: replace(chunk, sequence=chunk.sequence - LONG_AGO),
    'good': lambda chunk: chunk,
}
