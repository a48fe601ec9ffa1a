"""A model that is asked through a server; the protocol is the link's business."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import ArmState
from magma_ros.errors import ConfigurationError, ModelError
from magma_ros.model.action_model import ActionDeltas, Marks, ModelIdentity, TraceAnswer
from magma_ros.model.remote.action_space import ACTION_SPACES, ActionSpace
from magma_ros.model.remote.protocol import Question, ServerMetadata
from magma_ros.model.remote.server_address import RemoteServer, parse_address
from magma_ros.model.text.prompts import check_instruction
from magma_ros.model.text.trace_text import parse_trace_answer


class Link(Protocol):
    """One server and a protocol to ask it in."""

    server: RemoteServer
    metadata: ServerMetadata | None  # None: a server of somebody else's
    foreign_name: str  # of such a server
    questions: tuple[str, ...]  # what can be asked

    def ask(
        self,
        question: Question,
        image_rgb: NDArray[np.uint8],
        text: str,
        state: ArmState | None,
    ) -> Any:
        """Actions (7,) or (n, 7) in the units of the server, or a text; raises MagmaError."""

    def close(self) -> None:
        """Leave."""


class RemoteModel:
    """An ``ActionModel`` whose answers come over a network. Not for several threads."""

    def __init__(self, link: Link, default_space: ActionSpace | None = None) -> None:
        """``default_space`` is what the actions of foreign servers of this protocol mean.

        Raises:
            ConfigurationError: nobody says what the actions mean.
        """
        server, metadata = link.server, link.metadata
        space = metadata.action_space if metadata else server.action_space or default_space
        if space is None:
            link.close()
            raise ConfigurationError(
                f'{server.url} does not say what its actions mean: add '
                f'{" or ".join(f"?actions={name}" for name in sorted(ACTION_SPACES))} to the '
                'address (docs/serving.md)'
            )
        self.action_space = space
        name, sha256 = (metadata.model, metadata.sha256) if metadata else (link.foreign_name, '')
        self.identity = ModelIdentity(f'{name} (remote, {server.url})', sha256)
        self._link = link

    def generate_action(
        self, image_rgb: NDArray[np.uint8], instruction: str, state: ArmState | None
    ) -> ActionDeltas:
        """The server's actions."""
        actions = self._link.ask('action', image_rgb, check_instruction(instruction), state)
        try:
            return self.action_space.decode(actions)
        except ModelError as error:
            raise ModelError(f'{self._link.server.url}: {error}') from error

    def generate_trace(
        self,
        image_rgb: NDArray[np.uint8],
        instruction: str,
        state: ArmState | None,
        marks: Marks | None = None,
    ) -> TraceAnswer:
        """The trace the server's model draws, if it can; no protocol carries marks."""
        if marks is not None:
            raise ModelError(
                f'{self._link.server.url} cannot be told of marks: leave trace_marks at "model"'
            )
        text = self._ask_for_text('trace', image_rgb, instruction, state)
        height_px, width_px = image_rgb.shape[:2]
        return TraceAnswer(parse_trace_answer(text, width_px, height_px), text)

    def answer(self, image_rgb: NDArray[np.uint8], question: str) -> str:
        """The words of the server's model, if it can."""
        return self._ask_for_text('answer', image_rgb, question, None)

    def reset(self) -> None:
        """Nothing to do: the protocols know no episodes."""

    def close(self) -> None:
        """Leave the server."""
        self._link.close()

    def _ask_for_text(
        self, question: Question, image_rgb: NDArray[np.uint8], text: str, state: ArmState | None
    ) -> str:
        url = self._link.server.url
        if question not in self._link.questions:
            raise ModelError(
                f'{url} gives actions only (no {question}): use direct mode, or ask "magma serve" '
                'through ws://'
            )
        reply = self._link.ask(question, image_rgb, check_instruction(text), state)
        if not isinstance(reply, str):
            raise ModelError(f'{url} answered the {question} without a text: see its log')
        return reply


def connect(address: str) -> RemoteModel:
    """The model at an address such as ``ws://host:port`` or ``http://host:port/act``.

    Raises:
        ConfigurationError: the address or token is wrong, or nobody says what the actions mean.
        ModelError: nobody answers there, or in another protocol or version.
    """
    server = parse_address(address)
    if server.url.startswith('ws'):
        from magma_ros.model.backends.remote_openpi import OpenpiLink

        return RemoteModel(OpenpiLink(server))
    from magma_ros.model.backends.remote_act import ActLink

    return RemoteModel(ActLink(server), ACTION_SPACES['bridge'])
