"""Opens the devices that files of config/teleop/ describe, and what ROS topics feed them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from geometry_msgs.msg import TwistStamped
from rclpy.node import Node
from sensor_msgs.msg import JointState, Joy
from std_msgs.msg import Float64

from magma_ros.errors import ConfigurationError
from magma_ros.latest_value import LatestValue
from magma_ros.nodes.recorded_chunks import read_recording
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.ros import teleop_topics
from magma_ros.ros.arm_messages import twist_from_message
from magma_ros.ros.topic_kinds import Topic
from magma_ros.teleop.axes_device import AxesDevice, AxesReading, AxesSource
from magma_ros.teleop.gamepad_source import GamepadSource
from magma_ros.teleop.gesture import TeleopDevice
from magma_ros.teleop.held_switch import HeldSwitch
from magma_ros.teleop.keyboard_device import KeyboardDevice
from magma_ros.teleop.leader_arm import LeaderDevice, LeaderReading
from magma_ros.teleop.replay import ReplayDevice
from magma_ros.teleop.settings import DeviceFile, load_device_file
from magma_ros.teleop.spacemouse_source import SpaceMouseSource
from magma_ros.teleop.terminal_keys import TerminalKeys
from magma_ros.teleop.twist_device import HeardTwist, TwistDevice


@dataclass(frozen=True)
class OpenDevices:
    """The devices that steer, by name, and their files."""

    devices: dict[str, TeleopDevice]
    files: dict[str, DeviceFile]


def open_devices(
    names: Sequence[str], node: Node, profile: ArmProfile, recording: str
) -> OpenDevices:
    """Open every device, and the switches of those that have none.

    Raises:
        ConfigurationError: no such device, a file with a mistake, a device that is to be a switch
            and something else, or a recording that cannot be replayed.
        EnvironmentMissing: a device, or the library that reads it, is not there.
    """
    files = {file.name: file for file in map(load_device_file, names)}
    if not files or len(files) != len(names):
        raise ConfigurationError(f'devices are {list(names)}; name each one once, at least one')
    switches = [getattr(file.settings, 'deadman_device', '') for file in files.values()]
    for switch in filter(None, switches):
        if switch in files or switches.count(switch) > 1:
            raise ConfigurationError(
                f'{switch} is the deadman switch of a device and can be nothing else beside it; '
                f'devices are {list(names)}: leave one out, or change deadman_device in its file'
            )
    with ExitStack() as opened:
        opener = _Opener(node, profile, recording, opened)
        devices = {file.name: opener.open(file) for file in files.values()}
        opened.pop_all()  # all went well: they stay open
    return OpenDevices(devices, files)


class _Opener:
    """Makes a device from its file; ``opened`` gives back what was opened when another fails."""

    def __init__(self, node: Node, profile: ArmProfile, recording: str, opened: ExitStack) -> None:
        self._node, self._profile, self._recording = node, profile, recording
        self._opened = opened

    def open(self, file: DeviceFile) -> TeleopDevice:
        settings: Any = file.settings
        profile = self._profile
        switch = self._switch(getattr(settings, 'deadman_device', ''))
        if file.kind == 'keyboard':
            keys = TerminalKeys()
            self._opened.callback(keys.close)
            return KeyboardDevice(settings, keys)
        if file.kind == 'twist':
            return TwistDevice(settings, profile.base_link, _hear_twists(self._node))
        if file.kind == 'leader':
            newest = _hear_leader(self._node)
            kinematics = profile.kinematics()
            return LeaderDevice(
                settings, profile.joint_names, kinematics, newest, _needed(switch, file)
            )
        if file.kind == 'replay':
            if not self._recording:
                raise ConfigurationError('replay needs the parameter recording: a bag folder')
            recording = read_recording(Path(self._recording), profile)
            return ReplayDevice(settings, recording, _needed(switch, file))
        if settings.deadman_button < 0:
            _needed(switch, file)
        source = self._axes_source(file.kind, settings)
        self._opened.callback(source.close)
        return AxesDevice(settings, source, switch)

    def _switch(self, name: str) -> HeldSwitch | None:
        if not name:
            return None
        file = load_device_file(name)
        if getattr(file.settings, 'deadman_device', ''):
            raise ConfigurationError(f'{name} has no switch of its own and cannot lend one')
        return HeldSwitch(self.open(file), file.settings.longest_hold_s)

    def _axes_source(self, kind: str, settings: Any) -> AxesSource:
        if kind == 'gamepad':
            return GamepadSource()
        if kind == 'spacemouse':
            return SpaceMouseSource()
        topic = teleop_topics.JOY if kind == 'joy' else teleop_topics.SPACENAV
        return JoySource(self._node, topic, settings.silent_s)


class JoySource:
    """A ``sensor_msgs/Joy`` topic as a driver; silence means that it is gone."""

    def __init__(self, node: Node, topic: Topic, silent_s: float) -> None:
        self._topic, self._silent_s = topic, silent_s
        self._newest: LatestValue[Joy] = LatestValue()
        topic.subscribe(node, lambda m: self._newest.put(m, time.monotonic()))

    def poll(self, now_s: float) -> AxesReading | str:
        """See :class:`magma_ros.teleop.axes_device.AxesSource`."""
        message = self._newest.peek()
        if message is None or self._newest.age_s(now_s) > self._silent_s:
            return f'{self._topic.name} is silent; is {self._topic.publishers} running?'
        return AxesReading(tuple(message.axes), tuple(message.buttons))

    def close(self) -> None:
        """The subscription goes with its node."""


def _needed(switch: HeldSwitch | None, file: DeviceFile) -> HeldSwitch:
    if switch is None:
        raise ConfigurationError(
            f'{file.name} has no deadman switch; set deadman_device in its file, such as keyboard'
        )
    return switch


def _hear_twists(node: Node) -> Callable[[], HeardTwist | None]:
    twists: LatestValue[HeardTwist] = LatestValue()
    openings: LatestValue[Float64] = LatestValue()

    def on_twist(message: TwistStamped) -> None:
        now_s, opening = time.monotonic(), openings.peek()
        heard = HeardTwist(twist_from_message(message), message.header.frame_id, now_s)
        if opening is not None:
            said_s = now_s - openings.age_s(now_s)
            heard = replace(heard, gripper_opening=opening.data, gripper_heard_s=said_s)
        twists.put(heard, now_s)

    teleop_topics.TELEOP_TWIST.subscribe(node, on_twist)
    teleop_topics.TELEOP_GRIPPER.subscribe(node, lambda m: openings.put(m, time.monotonic()))
    return twists.peek


def _hear_leader(node: Node) -> Callable[[], LeaderReading | None]:
    newest: LatestValue[LeaderReading] = LatestValue()

    def on_joints(message: JointState) -> None:
        now_s = time.monotonic()
        positions = dict(zip(message.name, message.position, strict=False))
        newest.put(LeaderReading(positions, now_s), now_s)

    teleop_topics.LEADER_JOINTS.subscribe(node, on_joints)
    return newest.peek
