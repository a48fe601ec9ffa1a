"""Devices, deadman switches and chunks put together: one tick of driving by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from magma_ros.data_types import ArmState, DeltaChunk, Pose
from magma_ros.teleop.arbiter import Arbiter
from magma_ros.teleop.chunk_maker import ChunkMaker
from magma_ros.teleop.deadman_guard import DeadmanGuard
from magma_ros.teleop.gesture import TeleopDevice


@dataclass(frozen=True)
class TeleopTick:
    """What to publish now."""

    owner: str | None  # the device that steers; the deadman switch is held exactly then
    chunk: DeltaChunk | None
    faults: Mapping[str, str]  # by device: why it cannot be used


class TeleopSession:
    """Several devices, one arm.

    Args:
        devices: by name.
        longest_hold_s: of the deadman switch of each.
        maker: numbers the chunks.
    """

    def __init__(
        self,
        devices: Mapping[str, TeleopDevice],
        longest_hold_s: Mapping[str, float],
        maker: ChunkMaker,
    ) -> None:
        self._devices, self._maker = dict(devices), maker
        self._guards = {name: DeadmanGuard(longest_hold_s[name]) for name in devices}
        self._arbiter = Arbiter()

    def tick(
        self,
        arm: ArmState | None,
        camera: Pose | None,
        now_s: float,
        now_ns: int,
        is_alone: bool = True,
    ) -> TeleopTick:
        """Read all devices.

        ``arm`` and ``camera`` (pose in the base frame) are None while unknown. ``is_alone``: no
        other process steers the same arm; two of them would fight, so then nobody does.
        """
        gestures, faults = {}, {}
        for name, device in self._devices.items():
            gesture = device.read(arm, now_s)
            is_lost = bool(gesture.fault)
            guard = self._guards[name].hear(gesture.is_held, now_s, is_lost)
            gestures[name], self._guards[name] = gesture, guard
            fault = gesture.fault or (guard.complaint if gesture.is_held else '')
            if fault:
                faults[name] = fault
        held = {name: guard.is_held for name, guard in self._guards.items()}
        before = self._arbiter.owner
        self._arbiter = self._arbiter.hear(held) if is_alone else Arbiter.nobody(held)
        owner = self._arbiter.owner
        if owner != before:
            self._maker.forget_gripper()
        if owner is None:
            return TeleopTick(None, None, faults)
        try:
            chunk = self._maker.make(gestures[owner], arm, camera, now_ns)
        except LookupError as error:
            return TeleopTick(None, None, {**faults, owner: f'{error}; choose another frame'})
        return TeleopTick(owner, chunk, faults)

    def close(self) -> None:
        """Give every device back."""
        for device in self._devices.values():
            device.close()
