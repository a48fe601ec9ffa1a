"""What a finished demonstration says about its beginning: where the gripper closed and opened.

Seen from any of its pictures, the rest of the demonstration is a path with gripper events, which
is what path mode draws. Nobody has to label it: the arm knows where it was, and a calibrated
camera knows where that is in the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import CameraModel, FloatArray, GripperEvent, PixelTrace
from magma_ros.image.projection import project
from magma_ros.motion.path_follower import (
    CARRY_M,
    DROP_ABOVE_M,
    GRASP_BELOW_TOP_M,
    HOVER_M,
    REACH_ABOVE_M,
)

HALF_OPEN = 0.5
FLICKER = 3  # steps
MARK = 1


@dataclass(frozen=True)
class Contact:
    """A moment at which something was touched."""

    step: int
    point_in_base_m: FloatArray  # (3,) on the surface of what was touched
    event: GripperEvent | None  # none: the demonstration ended here


def find_contacts(tools_m: FloatArray, commanded_openings: Sequence[float]) -> list[Contact]:
    """Where the gripper was told to close and to open, else where the demonstration ended.

    A push, whose gripper is closed from the beginning, says nothing of the kind: no contacts.

    Args:
        tools_m: (n, 3) tool centre points in the base frame, a step each.
        commanded_openings: n, 0 closed .. 1 open.
    """
    is_open = _without_flicker(np.asarray(commanded_openings) > HALF_OPEN)
    contacts = []
    for step in np.flatnonzero(is_open[1:] != is_open[:-1]) + 1:
        event = GripperEvent.OPEN if is_open[step] else GripperEvent.CLOSE
        # What the follower will do at this point, backwards.
        above_m = DROP_ABOVE_M if event is GripperEvent.OPEN else -GRASP_BELOW_TOP_M
        contacts.append(Contact(int(step), tools_m[step] - [0.0, 0.0, above_m], event))
    if not contacts and is_open[0]:
        last = len(tools_m) - 1
        contacts = [Contact(last, tools_m[last] - [0.0, 0.0, REACH_ABOVE_M], None)]
    return contacts


def _without_flicker(is_open: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What lasts less than FLICKER steps and is not the end is as it was before."""
    steady = is_open.copy()
    for step in range(1, len(steady)):
        if steady[step] != steady[step - 1]:
            ahead = is_open[step : step + FLICKER]
            if len(ahead) == FLICKER and not (ahead == is_open[step]).all():
                steady[step] = steady[step - 1]
    return steady


def hindsight_trace(
    step: int, tools_m: FloatArray, contacts: Sequence[Contact], camera: CameraModel
) -> PixelTrace | None:
    """The way from ``step`` on in pixels, over and onto each contact; none when all is done."""
    points: list[FloatArray] = []
    events: dict[int, GripperEvent] = {}
    for contact in (one for one in contacts if one.step > step):
        x, y, _ = contact.point_in_base_m
        if contact.event is GripperEvent.OPEN and points:
            points.append(np.array([*points[-1][:2], CARRY_M]))  # up from where it closed
        points.append(np.array([x, y, CARRY_M if contact.event is GripperEvent.OPEN else HOVER_M]))
        points.append(contact.point_in_base_m)
        if contact.event is not None:
            events[len(points) - 1] = contact.event
    if not points:
        return None
    return PixelTrace(
        MARK, project(camera, tools_m[step])[0], project(camera, np.stack(points)), events
    )
