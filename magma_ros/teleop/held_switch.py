"""The deadman switch of a device without one: another device, that is used for nothing else."""

from __future__ import annotations

from magma_ros.teleop.deadman_guard import DeadmanGuard
from magma_ros.teleop.gesture import TeleopDevice, TeleopGesture


class HeldSwitch:
    """Asked once in each tick.

    Args:
        device: whose switch it is.
        longest_hold_s: of it.
    """

    def __init__(self, device: TeleopDevice, longest_hold_s: float) -> None:
        self._device, self._guard = device, DeadmanGuard(longest_hold_s)

    def read(self, now_s: float) -> TeleopGesture:
        """Whether a person holds it, what became of it, and what its gripper keys say."""
        gesture = self._device.read(None, now_s)
        self._guard = self._guard.hear(gesture.is_held, now_s, bool(gesture.fault))
        fault = gesture.fault or (self._guard.complaint if gesture.is_held else '')
        return TeleopGesture(
            self._guard.is_held, gripper_opening=gesture.gripper_opening, fault=fault
        )

    def close(self) -> None:
        """Give the device back."""
        self._device.close()
