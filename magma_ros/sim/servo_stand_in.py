"""Stands where MoveIt Servo is not installed: commands in, joint trajectories out.

Held to recordings of the real one (test/sim/test_servo_recordings.py); what differs is listed in
docs/servo_stand_in.md. Pure; a node gives it topics.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from magma_ros.data_types import FloatArray, Pose
from magma_ros.errors import ConfigurationError
from magma_ros.robot.kinematics import Kinematics
from magma_ros.rotations import matrix_from_pose, pose_from_matrix
from magma_ros.sim.servo_collision import CollisionMonitor
from magma_ros.sim.servo_records import (
    TYPE_OF_COMMAND,
    Command,
    CommandType,
    JogCommand,
    JointLimits,
    JointPoint,
    PoseCommand,
    ServoOutput,
    ServoSettings,
    ServoStatus,
    TwistCommand,
)
from magma_ros.sim.servo_smoothing import make_smoother
from magma_ros.sim.servo_steps import (
    Step,
    joints_at_bounds,
    limit_velocities,
    step_from_jog,
    step_from_twist,
    step_to_pose,
)
from magma_ros.sim.servo_window import PointWindow

STOPPED_RAD_S = 1e-4
SILENT = (ServoStatus.INVALID, ServoStatus.HALT_FOR_COLLISION)


class ServoStandIn:
    """One Servo: give it commands as they come, and tick it once a period.

    Args:
        kinematics: from the planning frame to the tip link.
        settings: Servo's parameters.
        limits: of the joints; None takes those of the URDF and 5 rad/s^2.
        collisions: what may be hit; None: nothing.
        fixed_frames: names of frames that are the base link itself.
    """

    def __init__(
        self,
        kinematics: Kinematics,
        settings: ServoSettings,
        limits: JointLimits | None = None,
        collisions: CollisionMonitor | None = None,
        fixed_frames: tuple[str, ...] = (),
    ) -> None:
        self._kinematics = kinematics
        self._settings = self._wanted_settings = settings
        self._limits = limits or JointLimits.of(kinematics, 5.0)
        self._collisions, self._fixed_frames = collisions, fixed_frames
        self._smoother = make_smoother(settings, self._limits)
        self._window = PointWindow(settings.max_expected_latency)
        self._type: CommandType | None = None
        self._newest: dict[CommandType, Command] = {}  # those still to be obeyed
        self._status = ServoStatus.NO_WARNING
        self._is_paused, self._begins_anew = False, True
        self._commanded: JointPoint | None = None
        self._ticked_s = -math.inf

    @property
    def settings(self) -> ServoSettings:
        """In force now."""
        return self._settings

    @property
    def commanded_rad(self) -> FloatArray:
        """Joint positions of the newest point, which the next trajectory will end with."""
        assert self._commanded is not None, 'there is none before the first tick'
        return self._commanded.positions_rad

    def receive(self, command: Command) -> None:
        """Take a command; the newest of its type counts."""
        self._newest[TYPE_OF_COMMAND[type(command)]] = command

    def switch_command_type(self, number: int) -> bool:
        """Obey commands of this type only; False and no change when there is no such type."""
        if number not in list(CommandType):
            return False
        self._type = CommandType(number)
        return True

    def pause(self, is_paused: bool) -> None:
        """Fall silent at once, without a ramp; afterwards begin anew from the measured joints."""
        self._begins_anew = self._begins_anew or (self._is_paused and not is_paused)
        self._is_paused = is_paused

    def set_check_collisions(self, wanted: bool) -> None:
        """A live parameter: it acts when the next fresh command is worked on."""
        self._wanted_settings = replace(self._settings, check_collisions=wanted)

    def tick(self, now_s: float, measured_rad: FloatArray) -> ServoOutput:
        """One loop.

        Args:
            now_s: on the clock of the commands' stamps.
            measured_rad: joint positions the arm reports, (dof,).
        """
        if now_s < self._ticked_s:  # /clock began anew: nothing of its future counts
            self._newest.clear()
            self._begins_anew = True
        stands_still = now_s == self._ticked_s  # then no command would ever grow old
        self._ticked_s = now_s
        if self._is_paused:
            return ServoOutput(None)
        if stands_still:
            return ServoOutput(self._status)
        if self._collisions is not None:
            self._collisions.watch(now_s, measured_rad, self._settings)
        if self._begins_anew or self._commanded is None:
            self._begins_anew = False
            self._window.clear()
            self._commanded = JointPoint(now_s, measured_rad, np.zeros_like(measured_rad))
            self._smoother.reset(measured_rad, np.zeros_like(measured_rad))
        newest = self._window.newest
        if newest is None or newest.time_s <= now_s:
            self._window.clear()
            newest = JointPoint(now_s, measured_rad, np.zeros_like(measured_rad))
        state = self._next_state(now_s, newest, measured_rad)
        if state is None or self._status in SILENT:
            self._rest(now_s, measured_rad)
            return ServoOutput(self._status)
        self._commanded = self._window.append(now_s, *state)
        return ServoOutput(self._status, self._window.trajectory())

    def _rest(self, now_s: float, measured_rad: FloatArray) -> None:
        """Nothing to publish: remember the measured state instead, to begin from it.

        The smoother begins at the speed between the measured states, so that a command which comes
        while the arm still runs out goes on smoothly.
        """
        zero = np.zeros_like(measured_rad)
        self._commanded = JointPoint(now_s, measured_rad, zero)
        added = self._window.append(now_s, measured_rad, zero)
        self._smoother.reset(measured_rad, added.velocities_rad_s)

    def _next_state(
        self, now_s: float, newest: JointPoint, measured_rad: FloatArray
    ) -> tuple[FloatArray, FloatArray] | None:
        """Positions and velocities of the next point; None when there is nothing to obey."""
        command = None if self._type is None else self._newest.get(self._type)
        if command is None or self._type is None:
            self._newest.clear()  # with no type, or of another
            return None
        self._newest = {self._type: command}
        if now_s - command.stamp_s >= self._settings.incoming_command_timeout - 1e-9:
            return self._halt()
        self._settings = self._wanted_settings
        self._status, step = self._step(command, newest.positions_rad, measured_rad)
        scale = 1.0 if self._collisions is None else self._collisions.scale
        if scale < 1.0:
            self._status = (
                ServoStatus.DECELERATE_FOR_COLLISION if scale else ServoStatus.HALT_FOR_COLLISION
            )
        if self._status is ServoStatus.INVALID:
            self._newest.clear()
        if self._status in SILENT:
            return None
        return self._bounded(newest.positions_rad, step, scale)

    def _halt(self) -> tuple[FloatArray, FloatArray] | None:
        """To rest at the limits of the smoother; then the stale command is forgotten."""
        assert self._commanded is not None  # since the first tick
        if (np.abs(self._commanded.velocities_rad_s) < STOPPED_RAD_S).all():
            self._newest.clear()
            return None
        positions = self._commanded.positions_rad
        return self._smoother.smooth(positions, np.zeros_like(positions))

    def _bounded(
        self, joints: FloatArray, step: FloatArray, scale: float
    ) -> tuple[FloatArray, FloatArray]:
        period_s = self._settings.publish_period
        step = scale * limit_velocities(step, self._limits, period_s)
        at_bounds = joints_at_bounds(joints, step, self._limits, self._settings.joint_limit_margin)
        if at_bounds.any():
            self._status = ServoStatus.JOINT_BOUND
            halts_all = self._type is not CommandType.POSE
            step = np.where(at_bounds | halts_all, 0.0, step)
        return self._smoother.smooth(joints + step, step / period_s)

    def _step(self, command: Command, joints: FloatArray, measured_rad: FloatArray) -> Step:
        if isinstance(command, JogCommand):
            return step_from_jog(command, self._kinematics.joint_names, self._settings)
        frame = self._frame(command.frame_id, measured_rad)
        if frame is None:
            return ServoStatus.INVALID, np.zeros_like(joints)
        more = (joints, self._kinematics, self._limits, self._settings)
        if isinstance(command, TwistCommand):
            return step_from_twist(command.twist, frame[:3, :3], *more)
        return step_to_pose(_in_base(command, frame), *more)

    def _frame(self, frame_id: str, measured_rad: FloatArray) -> FloatArray | None:
        """Pose (4, 4) of a frame in the base; None when nobody knows it."""
        if frame_id in self._fixed_frames:
            return np.eye(4)
        try:
            return self._kinematics.matrix(measured_rad, frame_id)
        except ConfigurationError:
            return None


def _in_base(command: PoseCommand, frame: FloatArray) -> Pose:
    if np.array_equal(frame, np.eye(4)):
        return command.pose
    return pose_from_matrix(frame @ matrix_from_pose(command.pose))
