"""HAMSTER's path answers: text -> one trace in pixels.

Source: liyi14/HAMSTER_beta ``gradio_server_example.py``.
"""

from __future__ import annotations

import re

import numpy as np

from magma_ros.data_types import GripperEvent, PixelTrace
from magma_ros.errors import ModelError

_ANSWER = re.compile(r'<ans>(.*?)</ans>', re.DOTALL)
_ENTRY = re.compile(
    r'\(\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*\)'
    r'|<action>\s*(Open Gripper|Close Gripper)\s*</action>'
)


def parse_hamster_answer(text: str, width_px: int, height_px: int) -> PixelTrace:
    """The path of the gripper, which starts at its first point; a tag belongs to the point before.

    Unlike marks, a path is executed to its end, so an answer that is not complete and in order is
    refused.

    Raises:
        ModelError: no ``<ans>`` list, no point in it, a tag before the first point, or a point
            outside the picture.
    """
    answer = _ANSWER.search(text)
    if answer is None:
        raise _refusal(
            text, 'has no complete <ans>...</ans> list (raise the token limit if it was cut off)'
        )
    points: list[tuple[float, float]] = []
    events: dict[int, GripperEvent] = {}
    for x, y, event in _ENTRY.findall(answer.group(1)):
        if not event:
            points.append((float(x), float(y)))
        elif points:
            events[len(points) - 1] = GripperEvent(event)
        else:
            raise _refusal(text, 'has a gripper tag before the first point')
    if not points:
        raise _refusal(text, 'has no points')
    relative = np.array(points)
    if relative.min() < 0.0 or relative.max() > 1.0:
        raise _refusal(text, 'has points outside 0..1')
    points_px = relative * [width_px, height_px]
    return PixelTrace(mark=1, start_px=points_px[0], points_px=points_px, events=events)


def _refusal(text: str, reason: str) -> ModelError:
    return ModelError(f'the path answer {reason}: ask again; the answer was {text[:200]!r}')
