"""A model in a process of its own, for every thread of a node to ask.

``ask`` and ``submit`` are the whole interface of whoever wants something of the model: actions,
traces, words about a picture. Everything else here keeps the process alive.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import magma_ros
from magma_ros.data_types import ArmState
from magma_ros.errors import MagmaError
from magma_ros.model.action_model import Marks
from magma_ros.model.text.prompts import check_instruction
from magma_ros.motion.reason_codes import Reason
from magma_ros.nodes.model_worker_answers import (
    Kind,
    LoadedModel,
    marks_fields,
    read_loaded,
    state_fields,
)
from magma_ros.nodes.model_worker_channel import SharedPicture
from magma_ros.nodes.model_worker_loading import ModelSettings
from magma_ros.nodes.model_worker_process import Death, WorkerProcess, explain_death
from magma_ros.nodes.model_worker_queue import Reply, Request, RequestQueue

BACK_OFF_S = (0.5, 1.0, 2.0)  # before each of the restarts in a row; then somebody must look
FORGIVEN_S = 600.0  # a worker that was well for so long may be restarted as often again
LOOK_S = 0.5  # how often it is asked whether an answer is overdue
ANSWER_S = 60.0
Stage = Literal['starting', 'loading', 'warming', 'ready', 'restarting', 'failed']
LOADING: dict[Stage, str] = {
    'starting': 'starting the process of the model',
    'loading': 'loading the model',
    'warming': 'the model makes its first inference',
}


@dataclass(frozen=True)
class WorkerState:
    """How the worker is; ``reason`` says why nothing can be asked, None when it is ready."""

    stage: Stage
    text: str
    reason: Reason | None = None
    restarts: int = 0  # in a row

    @property
    def is_ready(self) -> bool:
        """Whether something can be asked."""
        return self.stage == 'ready'


class ModelWorker:
    """Starts the process, starts it again with a growing pause when it dies, hands out answers.

    Args:
        settings: which model, and how it is run.
        python: interpreter of the process; empty: our own.
        answer_s: an answer that takes longer counts as a crash; the process is killed.
        on_change: hears every new state, in the worker's own thread.

    Raises:
        ConfigurationError: there is no such interpreter.
    """

    def __init__(
        self,
        settings: ModelSettings,
        python: str = '',
        answer_s: float = ANSWER_S,
        on_change: Callable[[WorkerState], None] = lambda state: None,
    ) -> None:
        self._settings, self._python, self._answer_s = settings, python, answer_s
        self._on_change = on_change
        self._picture = SharedPicture.create()
        self._queue = RequestQueue()
        self._is_reset_due = False
        self._closed = threading.Event()
        self._ready_s: float | None = None  # since when it is well
        self._death: Death | None = None  # the last one that was followed by a restart
        self._process = WorkerProcess(python, self._picture)
        self._started_s = self._entered_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name='model worker', daemon=True)
        self.state = WorkerState('starting', LOADING['starting'], Reason.MODEL_LOADING)
        self.loaded: LoadedModel | None = None  # the last one, also while it is restarted
        self.load_s = 0.0  # from the start of its process to its first answer

    def start(self) -> None:
        """Begin to load; returns at once, ``on_change`` tells the rest."""
        self._thread.start()

    def close(self) -> None:
        """End the process; whoever waits for an answer gets a ModelError."""
        self._closed.set()
        self._process.kill()
        if self._thread.is_alive():
            self._thread.join()
        else:  # it was never started, or has given up
            self._process.end()
        self._picture.close()

    @property
    def has_failed(self) -> bool:
        """Whether the thread has died, which is a defect; a model that stays down is none."""
        return self._thread.ident is not None and not (
            self._thread.is_alive() or self._closed.is_set() or self.state.stage == 'failed'
        )

    @property
    def stage_s(self) -> float:
        """How long it has been in its present stage."""
        return time.monotonic() - self._entered_s

    @property
    def pid(self) -> int:
        """Of the process, or of the last one."""
        return self._process.pid

    def ask(
        self,
        kind: Kind,
        image_rgb: NDArray[np.uint8],
        text: str,
        state: ArmState | None = None,
        marks: Marks | None = None,
        limit_s: float | None = None,
    ) -> Reply:
        """:meth:`submit` and wait. Never in a callback of an executor: it would stand still."""
        return self.submit(kind, image_rgb, text, state, marks, limit_s).result()

    def submit(
        self,
        kind: Kind,
        image_rgb: NDArray[np.uint8],
        text: str,
        state: ArmState | None = None,
        marks: Marks | None = None,
        limit_s: float | None = None,
    ) -> Future[Reply]:
        """Ask the model something. Returns at once.

        One request is with the model at a time. One more of each kind may wait, and when the model
        is free again the most urgent of those goes next: an action before a trace before an
        answer, however long the others have waited. So an action waits for one other request at
        most. A request that waits is superseded by a newer one of its kind, because only the
        newest picture counts.

        Args:
            kind: ``action`` (the answer is an ActionAnswer or ActionDeltas), ``trace``
                (TraceAnswer) or ``answer`` (str, the model's words).
            image_rgb: (height, width, 3); must not change before the reply is there.
            text: the instruction, or the question.
            state: of the arm at the picture's stamp, for models that read it; ``answer`` has none.
            marks: of a trace, number -> (x, y) px; none: those the model was made for.
            limit_s: a trace is cut to what was drawn after so long; none: it is finished. A
                server's model knows no limit but that of its address.

        Returns:
            The future reply. Callbacks added to it run in the thread of the worker: they may
            submit, but not ``ask``, which would wait for themselves. Its exceptions:

            ModelError: there is no model now (``state`` says why), it died or took longer than
                ``answer_s``, or it says so itself; Superseded: see above.
            CameraError: the picture is too large, or the model cannot use it.
            InstructionError: the sentence cannot be used.
        """
        try:
            sentence = check_instruction(text)
            request = Request(kind, image_rgb, sentence, state, marks, limit_s)
        except MagmaError as error:
            refused: Future[Reply] = Future()
            refused.set_exception(error)
            return refused
        self._queue.submit(request, time.monotonic())
        return request.reply

    def reset(self) -> None:
        """The next request begins a new episode."""
        self._is_reset_due = True

    def _send(self, request: Request) -> None:
        size = self._picture.write(request.image_rgb)
        message = {
            'kind': request.kind,
            'text': request.text,
            'size': size,
            'state': state_fields(request.state),
            'marks': marks_fields(request.marks),
            'limit_s': request.limit_s,
            'reset': self._is_reset_due,
        }
        self._is_reset_due = False
        with contextlib.suppress(OSError):  # it has died, which the thread is about to hear
            self._process.channel.send(message)

    # ------------------------------------------------------------------------------- in the thread

    def _run(self) -> None:
        restarts = 0
        while True:
            last_words = self._listen(restarts)
            death = explain_death(self._process.end(), last_words)
            self._queue.close(death.text)
            if self._closed.is_set():
                return
            if self._ready_s is not None and time.monotonic() - self._ready_s > FORGIVEN_S:
                restarts = 0
            if death.is_final or restarts == len(BACK_OFF_S):
                self._enter(WorkerState('failed', death.text, death.reason, restarts))
                return
            pause_s = BACK_OFF_S[restarts]
            restarts += 1
            self._death = Death(death.reason, f'{death.text}; start {restarts} of 3 follows')
            self._enter(self._loading('restarting', restarts))
            if self._closed.wait(pause_s):
                return
            self._process, self._ready_s = WorkerProcess(self._python, self._picture), None
            self._started_s = time.monotonic()

    def _listen(self, restarts: int) -> dict[str, str]:
        """Hear the process until it ends; its last words, or ours about it."""
        process, last_words = self._process, {'why': 'silent'}
        while True:
            try:
                message = process.channel.receive(LOOK_S)
                if message is None:
                    return last_words
                last_words = self._hear(message, restarts)
            except TimeoutError:
                if self._closed.is_set():
                    process.kill()
                elif self._queue.asked_for_s(time.monotonic()) > self._answer_s:
                    last_words = {'why': 'crash', 'text': f'no answer in {self._answer_s:g} s'}
                    process.kill()
            except (ValueError, KeyError, TypeError) as error:
                last_words = {'why': 'crash', 'text': f'it said what cannot be read: {error!r}'}
                process.kill()

    def _hear(self, message: dict[str, Any], restarts: int) -> dict[str, str]:
        """What follows from a message; the last words, if it should die now."""
        event = message['event']
        if event == 'reply':
            self._queue.settle(message, time.monotonic())
        elif event == 'ready':
            self.loaded, self._ready_s = read_loaded(message), time.monotonic()
            self.load_s = self._ready_s - self._started_s
            self._queue.open(self._send)
            self._enter(WorkerState('ready', 'the model is ready', None, restarts))
        elif event == 'started':
            if message['version'] != magma_ros.__version__:
                text = (
                    f'the interpreter of the model has magma_ros {message["version"]}, this is '
                    f'{magma_ros.__version__}: install the same release for both'
                )
                self._process.kill()
                return {'why': 'refused', 'text': text}
            with contextlib.suppress(OSError):  # it has died already
                self._process.channel.send(self._settings.as_message())
        elif event in ('refused', 'died'):
            return {'why': message.get('why', 'refused'), 'text': message['text']}
        else:
            self._enter(self._loading(event, restarts))
        return {}

    def _loading(self, stage: Stage, restarts: int) -> WorkerState:
        """Not ready: for the first time, or because of the last death."""
        if self._death is None:
            return WorkerState(stage, LOADING[stage], Reason.MODEL_LOADING, restarts)
        text = self._death.text if stage == 'restarting' else LOADING[stage]
        return WorkerState(stage, text, self._death.reason, restarts)

    def _enter(self, state: WorkerState) -> None:
        self.state, self._entered_s = state, time.monotonic()
        self._on_change(state)
