"""From a peer's message to a question that may be put to a model, or to a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import ArmState, Pose
from magma_ros.errors import InstructionError
from magma_ros.model.remote.protocol import (
    GRIPPER,
    POSE,
    PROTOCOL,
    PROTOCOL_VERSION,
    QUESTION,
    QUESTIONS,
    STATISTICS,
    Question,
    is_version,
)
from magma_ros.model.remote.refusal import Refusal, refusal_of
from magma_ros.model.text.prompts import check_instruction

SIDE_PX = (16, 4096)  # of a picture
IMAGE_NAMES = ('observation/image', 'image')
TEXT_NAMES = ('prompt', 'instruction')
UNIT_NORM_SLACK = 1e-3


@dataclass(frozen=True)
class Asked:
    """A checked question."""

    question: Question
    image_rgb: NDArray[np.uint8]  # (height, width, 3)
    text: str
    state: ArmState | None


def check_question(message: Any, statistics_key: str) -> Asked:
    """Message -> question. Names that are unknown here are ignored, as openpi does.

    Raises:
        Refusal: something is missing, of the wrong shape, or asks for what is not here.
    """
    if not isinstance(message, Mapping):
        raise Refusal('malformed', f'a map of names is needed, not {type(message).__name__}')
    version = message.get(PROTOCOL, PROTOCOL_VERSION)
    if not is_version(version):
        raise Refusal(
            'protocol', f'you speak version {_short(version)}, this server {PROTOCOL_VERSION}'
        )
    question = message.get(QUESTION, QUESTIONS[0])
    if not isinstance(question, str) or question not in QUESTIONS:
        raise Refusal('unsupported', f'question {_short(question)}: choose one of {QUESTIONS}')
    key = message.get(STATISTICS)
    if key is not None and not (isinstance(key, str) and key == statistics_key):
        raise Refusal(
            'statistics',
            f'{STATISTICS} {_short(key)} is not here: leave it out or send {statistics_key!r}',
        )
    image_rgb = _check_image(_first(message, IMAGE_NAMES, 'image'))
    text = _first(message, TEXT_NAMES, 'instruction')
    if not isinstance(text, str):
        raise Refusal('instruction', f'the instruction is {type(text).__name__}, not text')
    try:
        sentence = check_instruction(text)
    except InstructionError as error:
        raise refusal_of(error) from error
    return Asked(question, image_rgb, sentence, _check_state(message))


def _first(message: Mapping[Any, Any], names: tuple[str, ...], code: str) -> Any:
    for name in names:
        if name in message:
            return message[name]
    raise Refusal(code, f'no {" or ".join(map(repr, names))} in the message')


def _check_image(image: Any) -> NDArray[np.uint8]:
    if (
        not isinstance(image, np.ndarray)
        or image.dtype != np.uint8
        or image.ndim != 3
        or image.shape[2] != 3
    ):
        what = f'{image.shape} {image.dtype}' if isinstance(image, np.ndarray) else _short(image)
        raise Refusal('image', f'the picture is {what}: send (height, width, 3) uint8 RGB')
    smallest, largest = SIDE_PX
    if not all(smallest <= side <= largest for side in image.shape[:2]):
        raise Refusal(
            'image',
            f'the picture is {image.shape[1]} x {image.shape[0]}: sides from {smallest} to '
            f'{largest} pixels are taken',
        )
    return image


def _check_state(message: Mapping[Any, Any]) -> ArmState | None:
    """The arm as far as a model looks at it: its joints are not known here."""
    if POSE not in message and GRIPPER not in message:
        return None
    try:
        pose = np.asarray(message.get(POSE), dtype=float)
        opening = np.asarray(message.get(GRIPPER), dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        raise Refusal('state', f'{POSE} and {GRIPPER} must be numbers') from error
    if (
        pose.shape != (7,)
        or opening.size != 1
        or not np.isfinite([*pose, *opening.ravel()]).all()
        or abs(np.linalg.norm(pose[3:]) - 1.0) > UNIT_NORM_SLACK
    ):
        raise Refusal(
            'state',
            f'{POSE} is x y z in m and a unit quaternion x y z w, {GRIPPER} one number: both',
        )
    unknown = np.zeros(0)
    return ArmState(unknown, unknown, Pose(pose[:3], pose[3:]), float(opening.ravel()[0]), 0)


def _short(value: Any) -> str:
    return repr(value)[:60]
