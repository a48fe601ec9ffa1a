"""What was known at regular instants: the newest picture, the arm at its stamp, the sentence.

An instant is on the clock of arrival. A sample at it is made of messages that had arrived by
then, so it is what a policy would have had, and nothing later can change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import ArmState
from magma_ros.dataset.features.arm_feature import ArmHistory
from magma_ros.dataset.features.commanded_motion import CommandedDelta, CommandedMotion
from magma_ros.dataset.features.mapping import Mapping
from magma_ros.dataset.features.picture_feature import read_picture_message
from magma_ros.dataset.reading.ros_decoding import decode, header_stamp_ns
from magma_ros.dataset.reading.stream_message import StreamMessage
from magma_ros.dataset.traces.marks import FrameLabels
from magma_ros.errors import ArmError, ConfigurationError, RecordingError
from magma_ros.image.image_preparation import resize_for_robot
from magma_ros.model.text.prompts import MAX_INSTRUCTION_LENGTH
from magma_ros.robot.arm_profile import ArmProfile

STRING = 'std_msgs/msg/String'
LONGEST_READ = 10_000  # letters of a sentence
LONGEST_SILENCE_NS = 60_000_000_000  # longer ones are one gap, not one at every instant
NATIVE = 0  # a size: pictures stay as they are


@dataclass(frozen=True)
class SamplingRules:
    """How a recording is cut into samples."""

    rate_hz: float = 5.0  # Bridge's
    size_px: int = 256  # of the square pictures Magma sees; NATIVE: as recorded
    oldest_picture_s: float = 0.25  # that a sample may show
    keeps_camera_pictures: bool = False  # for labels; they cost memory and time

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if not 0.1 <= self.rate_hz <= 240.0:
            raise ConfigurationError(f'rate_hz {self.rate_hz}: give a number from 0.1 to 240')
        if self.size_px != NATIVE and not 16 <= self.size_px <= 4096:
            raise ConfigurationError(f'size_px {self.size_px}: give 16 to 4096, or 0 for native')


@dataclass(frozen=True)
class Picture:
    """One camera in a sample."""

    rgb: NDArray[np.uint8]  # as the policy sees it
    camera_rgb: NDArray[np.uint8] | None  # as the camera gave it, where that is wanted
    stamp_ns: int
    age_ns: int  # since it had arrived


@dataclass(frozen=True)
class Sample:
    """What was known at one instant."""

    time_ns: int  # clock of arrival
    pictures: dict[str, Picture]  # by camera
    arm: ArmState  # at the stamp of the first picture
    instruction: str
    commanded: CommandedDelta  # since the sample before
    labels: FrameLabels | None = None  # where marks go from here: they do look ahead


@dataclass(frozen=True)
class Gap:
    """An instant without a sample, and why."""

    time_ns: int
    reason: str


class Inputs:
    """The newest of everything that has arrived."""

    def __init__(self, mapping: Mapping, profile: ArmProfile, rules: SamplingRules) -> None:
        self._mapping, self._rules = mapping, rules
        self._pictures: dict[str, StreamMessage] = {}
        self._arm = ArmHistory(profile)
        self._commanded = CommandedMotion()
        self._instruction = mapping.default_instruction
        self._cameras = {
            topic: camera for camera in mapping.cameras for topic in camera.topics if topic
        }

    @property
    def is_complete(self) -> bool:
        """Whether every camera has sent a picture."""
        return len(self._pictures) == len(self._mapping.cameras)

    def offer(self, message: StreamMessage) -> None:
        """Take up a message.

        Raises:
            RecordingError: it is not what the mapping says, or damaged.
        """
        mapping, topic = self._mapping, message.topic
        if topic in self._cameras:
            self._pictures[self._cameras[topic].name] = message
        elif topic == mapping.joint_states:
            self._arm.add(message)
        elif topic == mapping.instruction_topic:
            self._instruction = _sentence(message)
        elif topic == mapping.chunk_topic:
            self._commanded.add_chunk(message)
        elif topic == mapping.info_topic:
            self._commanded.add_info(message)

    def sample(self, time_ns: int) -> Sample | Gap:
        """What is known at an instant.

        Raises:
            RecordingError: a picture or a joint state that cannot be read.
        """
        commanded = self._commanded.take(time_ns)
        oldest_ns = self._rules.oldest_picture_s * 1e9
        for camera in self._mapping.cameras:
            age_ns = time_ns - self._pictures[camera.name].log_ns
            if age_ns > oldest_ns:
                return Gap(time_ns, f'no picture of {camera.name} for {age_ns * 1e-9:.2f} s')
        first = self._pictures[self._mapping.cameras[0].name]
        try:
            arm = self._arm.at(header_stamp_ns(first))
        except ArmError as error:
            return Gap(time_ns, str(error))
        if not np.isfinite([*arm.joint_positions_rad, arm.gripper_opening]).all():
            return Gap(time_ns, 'joint states that are not finite')
        if not self._instruction:
            return Gap(time_ns, 'no instruction')
        if len(self._instruction) > MAX_INSTRUCTION_LENGTH:
            return Gap(time_ns, f'an instruction of more than {MAX_INSTRUCTION_LENGTH} letters')
        pictures = {
            camera.name: self._picture(camera.name, camera.frame, time_ns)
            for camera in self._mapping.cameras
        }
        return Sample(time_ns, pictures, arm, self._instruction, commanded)

    def _picture(self, name: str, frame: str, time_ns: int) -> Picture:
        message = self._pictures[name]
        image = read_picture_message(message)
        if frame and image.frame_id != frame:
            raise RecordingError(
                f'{message.where}: {message.topic} is of the frame {image.frame_id[:80]!r}, but '
                f'the mapping says {frame!r}'
            )
        size = self._rules.size_px
        rgb = image.rgb if size == NATIVE else resize_for_robot(image.rgb, size)
        whole = image.rgb if self._rules.keeps_camera_pictures else None
        return Picture(rgb, whole, image.stamp_ns, time_ns - message.log_ns)


def sample_stream(
    messages: Iterable[StreamMessage], mapping: Mapping, profile: ArmProfile, rules: SamplingRules
) -> Iterator[Sample | Gap]:
    """Samples at the rate of the rules, from the first complete set of pictures on.

    Raises:
        RecordingError: a message that is not what the mapping says, or damaged.
    """
    inputs = Inputs(mapping, profile, rules)
    start_ns: int | None = None
    count = 0
    due_ns = last_ns = 0
    for message in messages:
        while start_ns is not None and message.log_ns > due_ns:
            yield inputs.sample(due_ns)
            count += 1
            if message.log_ns - due_ns > LONGEST_SILENCE_NS:
                count = int((message.log_ns - start_ns) * 1e-9 * rules.rate_hz)
            due_ns = start_ns + round(count * 1e9 / rules.rate_hz)
        inputs.offer(message)
        last_ns = message.log_ns
        if start_ns is None and inputs.is_complete:
            start_ns = due_ns = message.log_ns
    if start_ns is not None and due_ns <= last_ns:
        yield inputs.sample(due_ns)


def _sentence(message: StreamMessage) -> str:
    if message.type_name != STRING:
        raise RecordingError(
            f'{message.where}: {message.topic} has the type {message.type_name[:80]!r}, not '
            f'{STRING}: correct the mapping'
        )
    text = str(decode(message).data)
    printable = ''.join(letter if letter.isprintable() else ' ' for letter in text)
    return ' '.join(printable[:LONGEST_READ].split())
