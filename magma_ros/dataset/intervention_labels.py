"""When a person had the arm in an episode, from what the controller said (``/magma/state``)."""

from __future__ import annotations

import struct
from dataclasses import asdict
from pathlib import Path
from typing import Any

from magma_ros.dataset.bag_reader import read_messages
from magma_ros.dataset.cdr import CdrReader
from magma_ros.dataset.recorded_topic import Arrival
from magma_ros.motion.authority import find_hand_phases
from magma_ros.motion.modes import Mode

STATE_TOPIC = '/magma/state'
MODE_KEY = 'mode'
MOST_MODES = 100_000  # changes; an episode of more is labelled up to there


class InterventionLabels:
    """Of one episode. Give it every message; it looks at those of the controller's state."""

    def __init__(self) -> None:
        self._modes: list[tuple[int, Mode]] = []
        self._last: tuple[int, Mode] | None = None

    def note(self, arrival: Arrival) -> None:
        """Take a message into account. A state that cannot be read says nothing."""
        if arrival.topic != STATE_TOPIC or (mode := read_mode(arrival.data)) is None:
            return
        self._last = arrival.received_ns, mode
        is_new = not self._modes or self._modes[-1][1] is not mode
        if is_new and len(self._modes) < MOST_MODES:
            self._modes.append(self._last)

    def labels(self) -> tuple[dict[str, Any], ...]:
        """``{start_ns, end_ns, taken_from, corrects_policy}`` for each time a person steered."""
        modes = self._modes if self._last is None else [*self._modes, self._last]
        return tuple(
            {**asdict(phase), 'taken_from': phase.taken_from.value}
            for phase in find_hand_phases(modes)
        )


def label_bag(bag: Path) -> tuple[dict[str, Any], ...]:
    """The labels of a bag that is there already.

    Raises:
        RecordingError: it cannot be read.
    """
    labels = InterventionLabels()
    for message in read_messages(bag):
        labels.note(Arrival(message.topic, message.data, message.log_ns, message.publish_ns))
    return labels.labels()


def read_mode(message: bytes) -> Mode | None:
    """The mode in a serialised ``diagnostic_msgs/DiagnosticStatus``; None: it says none."""
    try:
        fields = CdrReader(message)
        fields.byte()  # level
        for _ in ('name', 'message', 'hardware_id'):
            fields.octets()
        (count,) = fields.numbers(1)
        for _ in range(count):
            key, value = fields.text(), fields.text()
            if key == MODE_KEY:
                return Mode(value)
    except (struct.error, ValueError):
        return None
    return None
