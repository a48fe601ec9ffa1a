"""What a person wants at one moment, whatever device it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

from magma_ros.data_types import ArmState, DeltaChunk, Pose, Twist

Frame = Literal['base', 'tool', 'camera']
FRAMES: tuple[Frame, ...] = get_args(Frame)


@dataclass(frozen=True)
class TeleopGesture:
    """One reading of a device.

    A device wants one of three things: to go on with ``twist``, to be at ``goal``, or to repeat
    ``recorded``. While ``is_held`` is false none of them counts.
    """

    is_held: bool = False  # the deadman switch
    twist: Twist = field(default_factory=Twist.zero)  # in the axes of ``frame``
    frame: Frame = 'base'
    gripper_opening: float | None = None  # None: the gripper stays as it is
    goal_gripper_in_base: Pose | None = None
    recorded: DeltaChunk | None = None
    fault: str = ''  # why the device cannot be used, and what to do; then nothing is held

    @staticmethod
    def lost(fault: str) -> TeleopGesture:
        """Nothing, from a device that is gone or talks nonsense."""
        return TeleopGesture(fault=fault)


class TeleopDevice(Protocol):
    """Something to steer with."""

    def read(self, arm: ArmState | None, now_s: float) -> TeleopGesture:
        """What the person wants now; never waits.

        ``arm`` is the arm that is steered, None while it is silent. ``now_s``: monotonic clock.
        """

    def close(self) -> None:
        """Give the device back."""
