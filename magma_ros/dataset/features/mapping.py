"""The mapping file: which topics become which features, with frames, units and polarity."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from magma_ros.dataset.image_compression import compressed_name
from magma_ros.dataset.video_compression import video_name
from magma_ros.errors import ConfigurationError
from magma_ros.model.text.prompts import MAX_INSTRUCTION_LENGTH
from magma_ros.resources import config_path
from magma_ros.robot.arm_profile import ArmProfile, load_arm_profile
from magma_ros.yaml_tables import check_keys, load_yaml

NAME = re.compile(r'[a-z][a-z0-9_]{0,31}')
TOPIC = re.compile(r'/[A-Za-z0-9_/]{1,250}')


@dataclass(frozen=True)
class CameraMapping:
    """One camera."""

    name: str  # of the feature
    topic: str  # of raw pictures; <topic>/compressed and <topic>/video serve as well
    frame: str  # that its pictures must be of; '': any

    @property
    def topics(self) -> tuple[str, ...]:
        """Where its pictures are found."""
        return self.topic, compressed_name(self.topic), video_name(self.topic)


@dataclass(frozen=True)
class Mapping:
    """See config/mappings/wx250s.yaml."""

    arm: str
    cameras: tuple[CameraMapping, ...]  # at least one; the first is the policy's
    joint_states: str
    instruction_topic: str
    default_instruction: str
    chunk_topic: str
    info_topic: str
    finger_closed: float | None  # in the unit of the joint (m or rad); None: of the arm profile
    finger_open: float | None

    @property
    def recorded_topics(self) -> tuple[str, ...]:
        """All that a recording must hold; the recorder may store pictures compressed."""
        others = (self.joint_states, self.instruction_topic, self.chunk_topic, self.info_topic)
        pictures = (camera.topic for camera in self.cameras)
        return tuple(topic for topic in (*pictures, *others) if topic)

    @property
    def topics(self) -> frozenset[str]:
        """All that are read."""
        compressed = (compressed_name(camera.topic) for camera in self.cameras)
        return frozenset([*self.recorded_topics, *compressed])

    def profile(self) -> ArmProfile:
        """The arm, with the gripper's polarity of this recording.

        Raises:
            ConfigurationError: there is no such arm.
        """
        profile = _arm(self.arm)
        if self.finger_closed is None or self.finger_open is None:
            return profile
        return replace(profile, finger_closed_m=self.finger_closed, finger_open_m=self.finger_open)


@cache
def _arm(name: str) -> ArmProfile:
    return load_arm_profile(name)


def load_mapping(name: str) -> Mapping:
    """``config/mappings/<name>.yaml``, or a file of your own by its path (``*.yaml``).

    Raises:
        ConfigurationError: no such file, an unknown or missing key, or a value that makes no
            sense; the message lists what is valid.
    """
    path = Path(name) if name.endswith('.yaml') else config_path(f'mappings/{name}.yaml')
    if not path.is_file():
        raise ConfigurationError(f'mapping {path} does not exist; name an arm, or give a file')
    values, where = load_yaml(path), str(path)
    check_keys(values, KEYS, where, required=KEYS)
    for part, keys in PARTS.items():
        check_keys(values[part], keys, f'{where}: {part}', required=keys)
    gripper = values['gripper']
    mapping = Mapping(
        str(values['arm']),
        tuple(_cameras(values['cameras'], where)),
        _topic(values['joint_states'], f'{where}: joint_states'),
        _topic(values['instruction']['topic'], f'{where}: instruction: topic', may_lack=True),
        _instruction(values['instruction']['default'], where),
        _topic(values['actions']['chunk'], f'{where}: actions: chunk', may_lack=True),
        _topic(values['actions']['info'], f'{where}: actions: info', may_lack=True),
        _position(gripper['closed'], f'{where}: gripper: closed'),
        _position(gripper['open'], f'{where}: gripper: open'),
    )
    if (mapping.finger_closed is None) is not (mapping.finger_open is None):
        raise ConfigurationError(f'{where}: gripper: give both, closed and open, or neither')
    if mapping.finger_closed is not None and mapping.finger_closed == mapping.finger_open:
        raise ConfigurationError(f'{where}: gripper: closed and open must differ')
    return mapping


KEYS = ('arm', 'cameras', 'joint_states', 'instruction', 'actions', 'gripper')
PARTS = {
    'instruction': ('topic', 'default'),
    'actions': ('chunk', 'info'),
    'gripper': ('closed', 'open'),
}


def _cameras(values: Any, where: str) -> list[CameraMapping]:
    if not isinstance(values, dict) or not values:
        raise ConfigurationError(f'{where}: cameras must name at least one camera')
    cameras = []
    for name, camera in values.items():
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ConfigurationError(
                f'{where}: camera {str(name)[:40]!r}: use lower-case letters, digits and _'
            )
        inside = f'{where}: cameras: {name}'
        check_keys(camera, ('topic', 'frame'), inside, required=('topic', 'frame'))
        topic = _topic(camera['topic'], f'{inside}: topic')
        cameras.append(CameraMapping(name, topic, str(camera['frame'] or '')))
    return cameras


def _topic(value: Any, where: str, may_lack: bool = False) -> str:
    if may_lack and value in (None, ''):
        return ''
    if not isinstance(value, str) or not TOPIC.fullmatch(value):
        raise ConfigurationError(f'{where} is {str(value)[:60]!r}; give a topic such as /camera')
    return value


def _instruction(value: Any, where: str) -> str:
    text = value or ''
    if not isinstance(text, str) or len(text) > MAX_INSTRUCTION_LENGTH or not _is_plain(text):
        raise ConfigurationError(f'{where}: instruction: default must be a short plain sentence')
    return text


def _is_plain(text: str) -> bool:
    return all(letter.isprintable() for letter in text)


def _position(value: Any, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 10.0:
        raise ConfigurationError(f'{where} is {value!r}; give a position of the joint, or null')
    return float(value)
