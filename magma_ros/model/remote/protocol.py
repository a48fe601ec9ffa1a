"""Names in the messages, and the handshake: what a server of ours says before the first question.

An observation is a map as openpi's clients send it: ``observation/image`` (height, width, 3) uint8
RGB and ``prompt``; OpenVLA's ``image`` and ``instruction`` mean the same. Everything below is our
addition, and optional.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard, get_args

import numpy as np

from magma_ros.data_types import ArmState
from magma_ros.errors import ModelError
from magma_ros.model.remote.action_space import ActionSpace, read_action_space

PROTOCOL = 'magma_protocol'  # its value is the version
PROTOCOL_VERSION = 1
LONGEST_NAME = 200
QUESTION = 'question'  # one of QUESTIONS; action when it is missing
POSE = 'observation/pose_gripper_in_base'  # (7,) x y z in m, quaternion x y z w
GRIPPER = 'observation/gripper_opening'  # 0 closed .. 1 open
STATISTICS = 'unnorm_key'  # OpenVLA's name
MODEL_HEADER = 'Magma-Model-SHA256'  # of HTTP replies

Question = Literal['action', 'trace', 'answer']
QUESTIONS: tuple[Question, ...] = get_args(Question)


@dataclass(frozen=True)
class ServerMetadata:
    """Who answers, and how."""

    model: str
    sha256: str
    statistics: str  # key of the action statistics the answers were decoded with
    image_size_px: int  # side of the square every picture is resized to at first
    takes_state: bool  # whether the pose of the gripper is part of the question
    questions: tuple[str, ...] = QUESTIONS
    action_space: ActionSpace = ActionSpace()

    def as_message(self) -> dict[str, Any]:
        """For the wire."""
        return {
            PROTOCOL: PROTOCOL_VERSION,
            'model': self.model,
            'sha256': self.sha256,
            'statistics': self.statistics,
            'image_size_px': self.image_size_px,
            'takes_state': self.takes_state,
            'questions': list(self.questions),
            'action_space': self.action_space.as_message(),
        }


def read_metadata(message: Any) -> ServerMetadata | None:
    """What a server said first; None when it is not one of ours, such as openpi's.

    Raises:
        ModelError: it speaks another version, or its metadata is damaged.
    """
    if not isinstance(message, Mapping):
        raise ModelError(f'the server began with {type(message).__name__}, not with metadata')
    if PROTOCOL not in message:
        return None
    if not is_version(message[PROTOCOL]):
        raise ModelError(
            f'the server speaks version {str(message[PROTOCOL])[:20]} of the protocol, this is '
            f'{PROTOCOL_VERSION}: install the same release of magma_ros on both machines'
        )
    model, sha256 = message.get('model'), message.get('sha256')
    statistics = message.get('statistics')
    side_px, takes_state = message.get('image_size_px'), message.get('takes_state')
    questions = message.get('questions')
    if (
        not _is_name(model)
        or not _is_name(sha256)
        or not _is_name(statistics)
        or type(side_px) is not int
        or not isinstance(takes_state, bool)
        or not isinstance(questions, list)
        or not all(isinstance(name, str) and name in QUESTIONS for name in questions)
    ):
        raise ModelError(f'the metadata of the server are damaged: {str(message)[:300]}')
    space = read_action_space(message.get('action_space'))
    return ServerMetadata(model, sha256, statistics, side_px, takes_state, tuple(questions), space)


def is_version(version: Any) -> bool:
    """Whether a peer's version is ours. Anything may come, also arrays."""
    return type(version) is int and version == PROTOCOL_VERSION


def _is_name(text: Any) -> TypeGuard[str]:
    return isinstance(text, str) and len(text) < LONGEST_NAME and text.isprintable()


def state_fields(state: ArmState | None) -> dict[str, Any]:
    """The part of an observation that says where the gripper is."""
    if state is None:
        return {}
    pose = state.pose_gripper_in_base
    return {
        POSE: np.concatenate([pose.translation_m, pose.quaternion_xyzw]),
        GRIPPER: float(state.gripper_opening),
    }
