"""Whose turn it is to ask the model: one request with it, one of each kind waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magma_ros import errors
from magma_ros.data_types import ArmState
from magma_ros.errors import MagmaError, ModelError
from magma_ros.model.action_model import Marks
from magma_ros.nodes.model_worker_answers import KINDS, Answer, Kind, read_answer


@dataclass(frozen=True)
class Reply:
    """An answer and the time the worker spent on it."""

    answer: Answer
    prepare_s: float  # from the camera's picture to what the model sees
    infer_s: float  # everything else, from the prompt to the parsed answer


@dataclass(frozen=True)
class Request:
    """What somebody wants to know, and where the reply goes."""

    kind: Kind
    image_rgb: NDArray[np.uint8]
    text: str
    state: ArmState | None = None
    marks: Marks | None = None
    limit_s: float | None = None
    reply: Future[Reply] = field(default_factory=Future)


class Superseded(ModelError):  # noqa: N818 (it names what happened, as a whole)
    """A newer request of the same kind took this one's place before it was asked."""


ERRORS = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
Send = Callable[[Request], None]
_Outcome = tuple[Request, MagmaError]


class RequestQueue:
    """Any thread may submit; the thread that hears the worker settles, opens and closes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Kind, Request] = {}
        self._asked: Request | None = None
        self._asked_s = 0.0
        self._send: Send | None = None
        self._closed_because = 'the model is not there yet'

    def open(self, send: Send) -> None:
        """From now on requests are sent. ``send`` may raise CameraError, which is a reply."""
        with self._lock:
            self._send = send

    def close(self, why: str) -> None:
        """Everybody who waits, and whoever asks from now on, gets a ModelError."""
        with self._lock:
            self._send, self._closed_because = None, why
            asked = [self._asked] if self._asked else []
            gone = (*asked, *self._waiting.values())
            failed: list[_Outcome] = [(request, ModelError(why)) for request in gone]
            self._asked = None
            self._waiting.clear()
        _fail(failed)

    def submit(self, request: Request, now_s: float) -> None:
        """Take a request; see ``ModelWorker.submit``. ``now_s`` on the monotonic clock."""
        failed: list[_Outcome] = []
        with self._lock:
            if self._send is None:
                failed.append((request, ModelError(self._closed_because)))
            else:
                older = self._waiting.get(request.kind)
                if older is not None:
                    failed.append((older, Superseded('a newer picture took its place')))
                self._waiting[request.kind] = request
                failed += self._send_next(now_s)
        _fail(failed)

    def settle(self, message: Mapping[str, Any], now_s: float) -> None:
        """The worker has replied; the next one is sent.

        Raises:
            ValueError, KeyError, TypeError: the reply is not what was asked for.
        """
        with self._lock:  # a fast model replies while the one who asks still holds it
            asked = self._asked
        if asked is None:
            raise ValueError('a reply that nobody asked for')
        outcome = _read(message, asked.kind)  # before it counts as settled: it may be garbage
        with self._lock:
            self._asked = None
            failed = self._send_next(now_s)
        _fail(failed)
        if isinstance(outcome, MagmaError):
            asked.reply.set_exception(outcome)
        else:
            asked.reply.set_result(outcome)

    def asked_for_s(self, now_s: float) -> float:
        """How long the worker has been thinking; 0 when nothing was asked."""
        with self._lock:
            return now_s - self._asked_s if self._asked is not None else 0.0

    def _send_next(self, now_s: float) -> list[_Outcome]:
        """Send the most urgent one if the worker is free; those that cannot be sent. Locked."""
        failed: list[_Outcome] = []
        while self._asked is None and self._waiting and self._send is not None:
            request = self._waiting.pop(next(kind for kind in KINDS if kind in self._waiting))
            try:
                self._send(request)
            except MagmaError as error:
                failed.append((request, error))
            else:
                self._asked, self._asked_s = request, now_s
        return failed


def _read(message: Mapping[str, Any], kind: Kind) -> Reply | MagmaError:
    if 'error' in message:
        return ERRORS.get(message['error'], ModelError)(message['text'])
    answer = read_answer(kind, message['answer'])
    return Reply(answer, message['prepare_s'], message['infer_s'])


def _fail(outcomes: list[_Outcome]) -> None:
    # Outside of the lock: callbacks of a future may submit.
    for request, error in outcomes:
        request.reply.set_exception(error)
