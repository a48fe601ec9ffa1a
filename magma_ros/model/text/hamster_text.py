"""HAMSTER's path answers: text -> one trace in pixels. Nothing is evaluated.

Source: liyi14/HAMSTER_beta ``gradio_server_example.py``.
"""

from __future__ import annotations

import re

import numpy as np

from magma_ros.data_types import GripperEvent, PixelTrace
from magma_ros.errors import ModelError

MOST_POINTS = 256
_BEGIN, _END = '<ans>', '</ans>'
_NUMBER = r'(-?[0-9]{1,8}(?:\.[0-9]{0,16})?)'
_ENTRY = re.compile(
    rf'\(\s*{_NUMBER}\s*,\s*{_NUMBER}\s*\)'
    r'|<action>\s*(Open Gripper|Close Gripper)\s*</action>'
)
_BETWEEN = re.compile(r'\s*,\s*')


def parse_hamster_answer(text: str, width_px: int, height_px: int) -> PixelTrace:
    """The path of the gripper, which starts at its first point; a tag belongs to the point before.

    The answer is the first ``<ans>[...]</ans>``: points ``(x, y)`` with 0..1 of the picture and
    gripper tags, parted by commas, with or without the brackets; words before and after it do not
    matter. Unlike marks, a path is executed to its end, so an answer that is not complete and in
    order is refused.

    Raises:
        ModelError: no ``<ans>`` list, something else in it, no point or more than MOST_POINTS, a
            tag before the first point, or a point outside the picture.
    """
    _, begin, rest = text.partition(_BEGIN)
    answer, end, _ = rest.partition(_END)
    if not begin or not end:
        raise _refusal(
            text, 'has no complete <ans>...</ans> list (raise the token limit if it was cut off)'
        )
    points: list[tuple[float, float]] = []
    events: dict[int, GripperEvent] = {}
    for x, y, event in _read_entries(answer.strip(), text):
        if not event:
            points.append((float(x), float(y)))
        elif points:
            events[len(points) - 1] = GripperEvent(event)
        else:
            raise _refusal(text, 'has a gripper tag before the first point')
    if not 1 <= len(points) <= MOST_POINTS:
        raise _refusal(text, f'has {len(points)} points instead of 1 to {MOST_POINTS}')
    relative = np.array(points)
    if relative.min() < 0.0 or relative.max() > 1.0:
        raise _refusal(text, 'has points outside 0..1')
    points_px = relative * [width_px, height_px]
    return PixelTrace(mark=1, start_px=points_px[0], points_px=points_px, events=events)


def _read_entries(answer: str, text: str) -> list[tuple[str, str, str]]:
    """x, y and gripper event of each entry; only one of them is not empty."""
    if answer.startswith('[') and answer.endswith(']'):
        answer = answer[1:-1].strip()
    entries: list[tuple[str, str, str]] = []
    at = 0
    while at < len(answer):
        separator = _BETWEEN.match(answer, at) if entries else None
        at = separator.end() if separator else at
        entry = _ENTRY.match(answer, at)
        if entry is None or (entries and separator is None):
            raise _refusal(text, f'holds {answer[at : at + 40]!r}, no point and no gripper tag')
        entries.append((entry[1] or '', entry[2] or '', entry[3] or ''))
        at = entry.end()
    return entries


def _refusal(text: str, reason: str) -> ModelError:
    return ModelError(f'the path answer {reason}: ask again; the answer was {text[:200]!r}')
