"""A model that chats (OpenAI's interface) as a source of paths, such as HAMSTER's server."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import ArmState
from magma_ros.errors import ConfigurationError, ModelError
from magma_ros.model.action_model import ActionDeltas, Marks, ModelIdentity, TraceAnswer
from magma_ros.model.backends.http_exchange import HttpExchange
from magma_ros.model.remote.arrays import REPLY_LIMITS, MalformedMessage, dump_json, load_json
from magma_ros.model.remote.chat_completions import chat_request, find_refusal, read_chat_reply
from magma_ros.model.remote.server_address import parse_chat_address
from magma_ros.model.text.hamster_text import parse_hamster_answer
from magma_ros.model.text.prompts import MAX_QUESTION_LENGTH, check_instruction, hamster_question

UNAUTHORISED = (401, 403)


class ChatPathModel:
    """An ``ActionModel`` that draws paths in HAMSTER's format and answers questions.

    It gives no actions. Its checksum is empty: such servers do not say what they run.
    """

    def __init__(self, address: str) -> None:
        """Connects with the first question.

        Raises:
            ConfigurationError: the address or the token is wrong.
        """
        self._server, self._name = parse_chat_address(address)
        self._http = HttpExchange(self._server, "the server (such as HAMSTER's)")
        self.identity = ModelIdentity(f'{self._name} (remote, {self._server.url})', '')

    def generate_action(
        self, image_rgb: NDArray[np.uint8], instruction: str, state: ArmState | None
    ) -> ActionDeltas:
        """Never; raises ModelError."""
        raise ModelError(
            f'{self._name} draws paths and gives no actions: use path mode, or make it the '
            'path_model of a model that acts'
        )

    def generate_trace(
        self,
        image_rgb: NDArray[np.uint8],
        instruction: str,
        state: ArmState | None,
        marks: Marks | None = None,
    ) -> TraceAnswer:
        """The path of the gripper with its events; raises ModelError for ``marks``, too."""
        if marks is not None:
            raise ModelError(f'{self._name} draws the path of the gripper only, not of marks')
        text = self._ask(image_rgb, hamster_question(instruction))
        height_px, width_px = image_rgb.shape[:2]
        return TraceAnswer([parse_hamster_answer(text, width_px, height_px)], text)

    def answer(self, image_rgb: NDArray[np.uint8], question: str) -> str:
        """The words of the model."""
        return self._ask(image_rgb, check_instruction(question, MAX_QUESTION_LENGTH))

    def reset(self) -> None:
        """Nothing to do: every request stands alone."""

    def close(self) -> None:
        """Leave the server."""
        self._http.close()

    def _ask(self, image_rgb: NDArray[np.uint8], question: str) -> str:
        url = self._server.url
        reply, body = self._http.post(dump_json(chat_request(self._name, question, image_rgb)))
        if reply.status_code in UNAUTHORISED:
            raise ConfigurationError(
                f'{url} refuses (HTTP {reply.status_code}): put its token into '
                'MAGMA_SERVER_TOKEN or token_file'
            )
        try:
            message = load_json(body, REPLY_LIMITS)
        except MalformedMessage as error:
            raise ModelError(
                f"{url} answered nonsense (HTTP {reply.status_code}, {error}): is it OpenAI's "
                'chat completions? Name the path with ?endpoint='
            ) from error
        if reply.is_error:
            raise ModelError(f'{url} refuses (HTTP {reply.status_code}): {find_refusal(message)}')
        return read_chat_reply(message, url)
