"""Questions in words, answered one after the other by a thread; never in anybody's way.

A question that begins "which mark" is asked on a picture with numbers drawn into it (Magma's
Set-of-Mark), and the mark that the answer names is given its place.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from magma_ros.data_types import FloatArray, Observation
from magma_ros.errors import CameraError, MagmaError, ModelError
from magma_ros.image.mark_drawing import draw_marks
from magma_ros.image.surface_path import lift_points
from magma_ros.model.text.mark_text import parse_mark_number
from magma_ros.nodes.mark_sources import MarkSource, MarkSources
from magma_ros.nodes.model_worker import ModelWorker

MOST_WAITING = 4
WAIT_S = 0.1
ABOUT_A_MARK = ('which mark', 'what mark')


@dataclass(frozen=True)
class SpokenAnswer:
    """An answer, or why there is none; always with its question."""

    question: str
    answer: str = ''
    error: str = ''
    stamp_ns: int = 0  # of the picture; 0: none was looked at
    mark: int | None = None
    place_px: FloatArray | None = None  # (2,) of the mark
    place_in_base_m: FloatArray | None = None  # (3,) where depth knows it


def answer_fields(answer: SpokenAnswer) -> dict[str, Any]:
    """For JSON; what is not known is left out."""
    places = {
        'place_px': answer.place_px,
        'place_in_base_m': answer.place_in_base_m,
    }
    return {
        'question': answer.question,
        **({'error': answer.error} if answer.error else {'answer': answer.answer}),
        **({'stamp_ns': answer.stamp_ns} if answer.stamp_ns else {}),
        **({'mark': answer.mark} if answer.mark is not None else {}),
        **{name: place.tolist() for name, place in places.items() if place is not None},
    }


class QuestionDesk:
    """Takes questions from callbacks, asks in its own thread. An action goes before a question.

    Args:
        worker: has the model.
        marks: chooses them.
        source: of the marks that questions are about.
        newest: the last observation that passed its checks.
        publish: given every answer, in the thread, or at once when a question is refused.
    """

    def __init__(
        self,
        worker: ModelWorker,
        marks: MarkSources,
        source: MarkSource,
        newest: Callable[[], Observation | None],
        publish: Callable[[SpokenAnswer], None],
    ) -> None:
        self._worker, self._marks, self._source = worker, marks, source
        self._newest, self._publish = newest, publish
        self._waiting: queue.Queue[str] = queue.Queue(MOST_WAITING)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name='questions', daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the question under way, then no more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def ask(self, question: str) -> None:
        """Take a question; returns at once."""
        try:
            self._waiting.put_nowait(question)
        except queue.Full:
            text = (
                f'{MOST_WAITING} questions are waiting already: ask again when they are answered'
            )
            self._publish(SpokenAnswer(question, error=text))

    def reply(self, question: str) -> SpokenAnswer:
        """The answer to a question about the newest picture."""
        seen = self._newest()
        if seen is None:
            return SpokenAnswer(question, error='no picture has passed its checks yet')
        stamp_ns = seen.image.stamp_ns
        try:
            if question.strip().lower().startswith(ABOUT_A_MARK):
                return self._point_out(question, seen)
            reply = self._worker.ask('answer', seen.image.rgb, question)
            return SpokenAnswer(question, cast('str', reply.answer), stamp_ns=stamp_ns)
        except MagmaError as error:
            return SpokenAnswer(question, error=str(error), stamp_ns=stamp_ns)

    def _point_out(self, question: str, seen: Observation) -> SpokenAnswer:
        marks = self._marks.choose(self._source, seen)
        if not marks:
            raise CameraError(f'there are no marks to ask about from {self._source}')
        picture = draw_marks(seen.image.rgb, marks)
        answer = cast('str', self._worker.ask('answer', picture, question).answer)
        number = parse_mark_number(answer)
        if number not in marks:
            raise ModelError(
                f'the answer names none of the {len(marks)} marks in the picture: {answer[:200]!r}'
            )
        return SpokenAnswer(
            question,
            answer,
            stamp_ns=seen.image.stamp_ns,
            mark=number,
            place_px=marks[number],
            place_in_base_m=_place(marks[number], seen),
        )

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                question = self._waiting.get(timeout=WAIT_S)
            except queue.Empty:
                continue
            self._publish(self.reply(question))


def _place(place_px: FloatArray, seen: Observation) -> FloatArray | None:
    """In the base frame; None where the camera has no depth, which a mark can do without."""
    try:
        return lift_points(place_px, seen.read_depth(), seen.camera)[0]
    except CameraError:
        return None
