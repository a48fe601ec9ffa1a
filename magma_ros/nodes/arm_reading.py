"""Joint states as the controller uses them: understood, believable, and for how long already."""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import JointState

from magma_ros.data_types import ArmState
from magma_ros.errors import ArmError
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.ros.arm_messages import arm_state_from_message

BEYOND_RAD = 0.05  # past the end of a joint no encoder reads; calibration differs by less
FRESH_S = 0.1


class ArmReading:
    """The newest arm state that made sense."""

    def __init__(self, profile: ArmProfile) -> None:
        self._profile, self.kinematics = profile, profile.kinematics()
        self._message: JointState | None = None
        self._bad_s: float | None = None  # when there was last nothing good; None: never asked
        self.state: ArmState | None = None
        self.fault: str | None = None  # what is wrong with the newest message

    def take(self, message: JointState | None, age_s: float, now_s: float) -> ArmState | None:
        """The newest state that made sense; ``age_s`` is that of the message."""
        if message is not None and message is not self._message:
            self._message = message
            self.fault = self._read(message)
        is_bad = self.state is None or self.fault is not None or age_s > FRESH_S
        if is_bad or self._bad_s is None:
            self._bad_s = now_s
        return self.state

    def good_s(self, now_s: float) -> float:
        """For how long there have been fresh states that made sense."""
        return 0.0 if self._bad_s is None else now_s - self._bad_s

    def _read(self, message: JointState) -> str | None:
        try:
            state = arm_state_from_message(message, self._profile, self.kinematics)
        except ArmError as error:
            return str(error)
        joints = state.joint_positions_rad
        lower, upper = self.kinematics.lower_rad, self.kinematics.upper_rad
        if not np.isfinite([*joints, state.gripper_opening]).all():
            return 'joint_states have numbers that are not finite; look at the driver'
        if (joints < lower - BEYOND_RAD).any() or (joints > upper + BEYOND_RAD).any():
            return (
                f'joint_states {np.round(joints, 3).tolist()} are outside of the joint limits of '
                f'{self._profile.name}; choose the arm profile of this arm or calibrate its joints'
            )
        self.state = state
        return None
