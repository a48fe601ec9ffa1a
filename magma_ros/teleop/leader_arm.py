"""A second arm that a person moves: its joints, mapped to ours, say where the gripper is to be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from magma_ros.data_types import ArmState, FloatArray
from magma_ros.errors import ConfigurationError
from magma_ros.robot.kinematics import Kinematics
from magma_ros.teleop.gesture import TeleopGesture
from magma_ros.teleop.held_switch import HeldSwitch
from magma_ros.teleop.settings import LeaderSettings
from magma_ros.teleop.start_match import find_mismatch


@dataclass(frozen=True)
class LeaderReading:
    """The newest joint states of the leader, and when they came (monotonic clock)."""

    positions: Mapping[str, float]  # rad, of the gripper in its own unit
    heard_s: float


class LeaderDevice:
    """Follows once the arms agree; loses the leader when it jumps or falls silent.

    Args:
        settings: which joint is which, and how near is near enough.
        joint_names: of the follower, in the order of its kinematics.
        kinematics: of the follower.
        newest: what came last, None before the first.
        switch: the deadman switch, which is another device.

    Raises:
        ConfigurationError: the map does not name every joint of the follower, and no others.
    """

    def __init__(
        self,
        settings: LeaderSettings,
        joint_names: tuple[str, ...],
        kinematics: Kinematics,
        newest: Callable[[], LeaderReading | None],
        switch: HeldSwitch,
    ) -> None:
        if set(settings.joints) != set(joint_names):
            raise ConfigurationError(
                f'the leader file maps the joints {sorted(settings.joints)}, this arm has '
                f'{sorted(joint_names)}: change the file, or choose another arm'
            )
        self._settings, self._names, self._kinematics = settings, joint_names, kinematics
        self._newest, self._switch = newest, switch
        self._joints: FloatArray | None = None  # of the follower, as the leader had them last
        self._is_matched = False  # since the switch was pressed

    def read(self, arm: ArmState | None, now_s: float) -> TeleopGesture:
        """See :class:`magma_ros.teleop.gesture.TeleopDevice`."""
        switch, heard = self._switch.read(now_s), self._newest()
        if heard is None or now_s - heard.heard_s > self._settings.silent_s:
            return self._lose('the leader arm is silent; is its driver running?')
        try:
            joints, opening = self._mapped(heard.positions)
        except LookupError as error:
            return self._lose(f'the leader arm has no joint {error}; see its file')
        if not np.isfinite([*joints, opening]).all():
            return self._lose('the leader arm has joints that are not finite; see its driver')
        before, self._joints = self._joints, joints
        if before is not None and np.abs(joints - before).max() > self._settings.jump_rad:
            self._is_matched = False
            return TeleopGesture.lost('the leader arm jumped; let go and match the arms again')
        if arm is None:
            return self._lose('the arm itself is silent; is its driver running?')
        goal = self._kinematics.forward(joints)
        if not switch.is_held:
            self._is_matched = not self._find_mismatch(joints, arm)
            return TeleopGesture.lost(switch.fault)
        if not self._is_matched:
            why = self._find_mismatch(joints, arm) or 'let go of the switch and press it again'
            return TeleopGesture.lost(f'not following: {why}')
        return TeleopGesture(True, gripper_opening=opening, goal_gripper_in_base=goal)

    def close(self) -> None:
        """Give the switch back."""
        self._switch.close()

    def _lose(self, fault: str) -> TeleopGesture:
        self._joints, self._is_matched = None, False
        return TeleopGesture.lost(fault)

    def _mapped(self, positions: Mapping[str, float]) -> tuple[FloatArray, float]:
        joints = []
        for name in self._names:
            one = self._settings.joints[name]
            joints.append(one['sign'] * positions[one['leader']] + one['offset_rad'])
        grip = self._settings.gripper
        opening = (positions[grip['joint']] - grip['closed']) / (grip['open'] - grip['closed'])
        is_number = math.isfinite(opening)
        return np.array(joints), min(max(opening, 0.0), 1.0) if is_number else math.nan

    def _find_mismatch(self, joints: FloatArray, arm: ArmState) -> str:
        """By joints, so that both arms bend alike; by gripper, so that nothing lunges."""
        away = joints - arm.joint_positions_rad
        far = {
            name: round(float(angle), 2)
            for name, angle in zip(self._names, away, strict=True)
            if not abs(angle) <= self._settings.match_joint_rad
        }
        if far:
            return f'move the leader back by {far} rad'
        return find_mismatch(
            self._kinematics.forward(joints),
            arm.pose_gripper_in_base,
            self._settings.match_m,
            self._settings.match_turn_rad,
        )
