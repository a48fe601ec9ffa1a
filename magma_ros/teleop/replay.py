"""A recorded episode once more: its chunks, at its pace, while a person holds the switch."""

from __future__ import annotations

from dataclasses import dataclass

from magma_ros.data_types import ArmState, DeltaChunk, Pose
from magma_ros.teleop.gesture import TeleopGesture
from magma_ros.teleop.held_switch import HeldSwitch
from magma_ros.teleop.settings import ReplaySettings
from magma_ros.teleop.start_match import find_mismatch

LEAD_S = 0.3  # after the press: the controller brakes what was there and turns to the person


@dataclass(frozen=True)
class Recording:
    """What an episode did. At least one chunk; each with its time since the first (s)."""

    chunks: tuple[tuple[float, DeltaChunk], ...]
    start_gripper_in_base: Pose  # where the arm was when the first chunk came

    @property
    def duration_s(self) -> float:
        """Until the last chunk has been executed."""
        last_s, chunk = self.chunks[-1]
        return last_s + len(chunk.deltas) * chunk.step_s


class ReplayDevice:
    """Every press begins anew, at the start of the recording and only there.

    Args:
        settings: how near to its start the arm must be.
        recording: the episode.
        switch: the deadman switch, which is another device.
    """

    def __init__(self, settings: ReplaySettings, recording: Recording, switch: HeldSwitch) -> None:
        self._settings, self._recording, self._switch = settings, recording, switch
        self._played = 0  # chunks since the press
        self._began_s: float | None = None  # None: not replaying

    def read(self, arm: ArmState | None, now_s: float) -> TeleopGesture:
        """See :class:`magma_ros.teleop.gesture.TeleopDevice`."""
        switch = self._switch.read(now_s)
        if not switch.is_held:
            self._played, self._began_s = 0, None
            return TeleopGesture.lost(switch.fault)
        if self._began_s is None:
            why = self._find_mismatch(arm)
            if why:
                return TeleopGesture.lost(f'not replaying: {why}')
            self._began_s = now_s + LEAD_S
        played_s, chunks = now_s - self._began_s, self._recording.chunks
        if played_s > self._recording.duration_s:
            return TeleopGesture.lost('the recording is over; let go of the switch')
        if self._played == len(chunks) or chunks[self._played][0] > played_s:
            return TeleopGesture(True)
        self._played += 1
        return TeleopGesture(True, recorded=chunks[self._played - 1][1])

    def close(self) -> None:
        """Give the switch back."""
        self._switch.close()

    def _find_mismatch(self, arm: ArmState | None) -> str:
        if arm is None:
            return 'the arm is silent; is its driver running?'
        return find_mismatch(
            self._recording.start_gripper_in_base,
            arm.pose_gripper_in_base,
            self._settings.match_m,
            self._settings.match_turn_rad,
        )
