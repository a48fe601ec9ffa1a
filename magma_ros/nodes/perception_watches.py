"""Threads that look at the same pictures as the prediction loop, each at its own pace."""

from __future__ import annotations

from magma_ros.image.image_checks import Finding
from magma_ros.nodes.perception_outputs import PerceptionOutputs
from magma_ros.nodes.perception_setup import Perception
from magma_ros.nodes.prediction_loop import PredictionLoop
from magma_ros.nodes.question_desk import QuestionDesk, SpokenAnswer
from magma_ros.nodes.reference_watch import ReferenceWatch
from magma_ros.nodes.sealed_serving import Serving
from magma_ros.nodes.trace_watch import TraceSettings, TraceWatch


class PerceptionWatches:
    """The watch on the reference picture, live traces and questions, as parameters want them.

    In a blinded session there are neither traces nor answers: they tell models apart.
    """

    def __init__(
        self,
        perception: Perception,
        serving: Serving,
        loop: PredictionLoop,
        outputs: PerceptionOutputs,
    ) -> None:
        wanted, self._outputs = serving.parameters, outputs
        worker, marks = perception.worker, perception.marks
        self._reference: ReferenceWatch | None = None
        self.traces: TraceWatch | None = None
        self._desk: QuestionDesk | None = None
        if perception.reference is not None:
            self._reference = ReferenceWatch(
                perception.reference,
                wanted.reference_period_s,
                lambda: loop.newest,
                outputs.show_ghost,
            )
        if serving.code:
            return
        if wanted.trace_period_s > 0.0:
            settings = TraceSettings(
                wanted.trace_period_s, wanted.trace_limit_s, wanted.trace_marks
            )
            self.traces = TraceWatch(
                settings,
                worker,
                marks,
                lambda: loop.newest_task,
                lambda trace: outputs.show_trace(trace, perception.profile.base_link),
            )
        self._desk = QuestionDesk(
            worker, marks, wanted.question_marks, lambda: loop.newest, outputs.answer
        )

    def start(self) -> None:
        """Begin."""
        for watch in self._all():
            watch.start()

    def stop(self) -> None:
        """Finish what is under way, then no more."""
        for watch in self._all():
            watch.stop()

    def ask(self, question: str) -> None:
        """Take a question; returns at once."""
        if self._desk is None:
            why = 'in a blinded session nothing is answered: words tell models apart'
            self._outputs.answer(SpokenAnswer(question, error=why))
        else:
            self._desk.ask(question)

    @property
    def values(self) -> dict[str, str]:
        """For the diagnostics."""
        reference = self._reference.values if self._reference else {}
        return {**reference, **(self.traces.values if self.traces else {})}

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the reference picture says."""
        return self._reference.findings if self._reference else ()

    def _all(self) -> list[ReferenceWatch | TraceWatch | QuestionDesk]:
        found = (self._reference, self.traces, self._desk)
        return [watch for watch in found if watch is not None]
