"""What every source of pictures can do: a camera, a video, a folder, a bag, the simulator."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol

from magma_ros.data_types import CameraImage, CameraModel, DepthImage


@dataclass(frozen=True)
class Frame:
    """One picture with what belongs to it. The pixels are its own: nobody writes into them."""

    image: CameraImage
    depth: DepthImage | None  # aligned to the picture; None where the source has none
    camera: CameraModel  # of the same size as the picture


class Condition(enum.Enum):
    """How a source is."""

    CLOSED = 'closed'
    STREAMING = 'streaming'
    SETTLING = 'settling'  # pictures come, but exposure still changes
    STALLED = 'stalled'  # the camera is there, pictures are not
    RESETTING = 'resetting'  # it was told to restart
    UNPLUGGED = 'unplugged'  # no such camera is connected
    REFUSED = 'refused'  # it is there and cannot be started
    ENDED = 'ended'  # a file has no more pictures


@dataclass(frozen=True)
class SourceState:
    """How a source is, in words for people.

    Attributes:
        condition: for programs.
        text: what is wrong and the next step; empty while nothing is.
        warnings: what is worth knowing although pictures come.
    """

    condition: Condition
    text: str = ''
    warnings: tuple[str, ...] = ()


CLOSED = SourceState(Condition.CLOSED)
STREAMING = SourceState(Condition.STREAMING)
ENDED = SourceState(Condition.ENDED)


class CameraSource(Protocol):
    """Opened, read until it ends or nobody wants more, closed; may be opened again.

    One thread reads; ``state`` may be looked at from any.
    """

    @property
    def state(self) -> SourceState:
        """How it is, as of the last ``read``."""

    def open(self) -> None:
        """Begin at the beginning.

        Raises:
            MagmaError: it can never work like this: a missing file, library, or wrong value. A
                camera that is not plugged in is no such error, but a state.
        """

    def read(self, timeout_s: float) -> Frame | None:
        """The next picture; stamps increase. None: none came in time, and ``state`` says why.

        Raises:
            MagmaError: what comes is damaged.
            ValueError: it is not open.
        """

    def close(self) -> None:
        """Let go of everything; closing twice is fine."""


def require_open(state: SourceState) -> None:
    """Raise ValueError for a source that is read before ``open`` or after ``close``."""
    if state.condition is Condition.CLOSED:
        raise ValueError('the source is not open')
