"""The thread that asks for a trace now and then, and knows how far the gripper is from it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from magma_ros.data_types import FloatArray, GuidedPath, Observation, PixelTrace
from magma_ros.errors import CameraError, MagmaError
from magma_ros.image.projection import metres_per_pixel, project
from magma_ros.image.surface_path import lift_points
from magma_ros.image.trace_distance import trace_distance
from magma_ros.model.action_model import TraceAnswer
from magma_ros.nodes.mark_sources import MarkSources, TraceMarks
from magma_ros.nodes.model_worker import ModelWorker

WAY_POINTS = 300  # of the gripper that are kept: a minute
AT_GRIPPER_SHARE = 0.1  # of the width: a trace that begins so near to the gripper is its own


@dataclass(frozen=True)
class TraceSettings:
    """How traces are asked for."""

    period_s: float
    limit_s: float  # the model stops drawing after so long, because an action may wait
    marks: TraceMarks


@dataclass(frozen=True)
class LiveTrace:
    """What the model drew on one picture."""

    seen: Observation
    instruction: str
    traces: list[PixelTrace]
    gripper: PixelTrace | None  # the one that begins at the gripper
    path: GuidedPath | None  # that one, or the first, in the base frame


@dataclass
class TraceWatch:
    """Asks with the newest picture that passed its checks; an action goes before it.

    Args:
        settings: how.
        worker: has the model.
        marks: chooses them.
        newest: the observation to ask about and what is being done; None: nothing.
        show: given each answer.
    """

    settings: TraceSettings
    worker: ModelWorker
    marks: MarkSources
    newest: Callable[[], tuple[Observation, str] | None]
    show: Callable[[LiveTrace], None]
    trace: LiveTrace | None = None  # the last one
    _said: dict[str, str] = field(default_factory=dict)
    _distance: dict[str, str] = field(default_factory=dict)
    _way: deque[tuple[int, FloatArray]] = field(default_factory=lambda: deque(maxlen=WAY_POINTS))
    _stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name='traces', daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the question under way, then no more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def values(self) -> dict[str, str]:
        """For the diagnostics: of the last answer, and the distance now."""
        return {**self._said, **self._distance}

    @property
    def current(self) -> LiveTrace | None:
        """The last trace, as long as the same is being done."""
        trace, task = self.trace, self.newest()
        return trace if trace and task and task[1] == trace.instruction else None

    @property
    def traces(self) -> list[PixelTrace]:
        """Of the current one."""
        trace = self.current
        return trace.traces if trace else []

    @property
    def status(self) -> str:
        """The distance in words, for the overlay."""
        distance = self._distance
        if not distance:
            return ''
        px, mm = distance.values()
        return f'{px} px, {mm} mm from the trace'

    def query(self, seen: Observation, instruction: str) -> None:
        """Ask for the traces of a picture and show them; what is wrong is in ``values``."""
        try:
            self.trace = self._ask(seen, instruction)
        except MagmaError as error:
            self.trace, self._distance = None, {}
            self._said = {'trace_fault': str(error)}
            return
        self.show(self.trace)

    def follow(self, seen: Observation) -> None:
        """Note where the gripper is, and compare its way with the last trace. For one thread."""
        self._way.append((seen.image.stamp_ns, seen.arm.pose_gripper_in_base.translation_m))
        trace = self.current
        if trace is None or trace.gripper is None:
            self._distance = {}
            return
        begin_ns = trace.seen.image.stamp_ns
        been_m = np.array([place for stamp_ns, place in self._way if stamp_ns >= begin_ns])
        if len(been_m) == 0:
            return
        found = trace_distance(
            np.vstack([trace.gripper.start_px, trace.gripper.points_px]),
            project(seen.camera, been_m),
            metres_per_pixel(seen.camera, been_m),
        )
        if found is not None:
            self._distance = {
                'trace_distance_px': f'{found.px:.1f}',
                'trace_distance_mm': f'{found.mm:.1f}',
            }

    def _ask(self, seen: Observation, instruction: str) -> LiveTrace:
        marks = None
        if self.settings.marks != 'model':
            marks = self.marks.choose(self.settings.marks, seen)
            if not marks:
                raise CameraError(
                    f'no marks to trace from {self.settings.marks}: click into the picture, or '
                    'choose another trace_marks'
                )
        reply = self.worker.ask(
            'trace', seen.image.rgb, instruction, seen.arm, marks, self.settings.limit_s
        )
        traces = cast('TraceAnswer', reply.answer).traces
        gripper = _at_gripper(traces, seen)
        self._said = {'traces': str(len(traces)), 'trace_ms': f'{reply.infer_s * 1e3:.0f}'}
        path = self._lift(gripper or traces[0], seen) if traces else None
        return LiveTrace(seen, instruction, traces, gripper, path)

    def _lift(self, trace: PixelTrace, seen: Observation) -> GuidedPath | None:
        points_px = np.vstack([trace.start_px, trace.points_px])
        try:
            points_m = lift_points(points_px, seen.read_depth(), seen.camera)
        except CameraError as error:  # a trace is of use without a path, too
            self._said['trace_path'] = str(error)
            return None
        events = {index + 1: event for index, event in trace.events.items()}
        return GuidedPath(points_m, events, np.zeros(len(points_m)))

    def _run(self) -> None:
        asked_ns = 0
        while not self._stopped.wait(self.settings.period_s):
            newest = self.newest()
            if newest is not None and newest[0].image.stamp_ns > asked_ns:
                asked_ns = newest[0].image.stamp_ns
                self.query(*newest)


def _at_gripper(traces: list[PixelTrace], seen: Observation) -> PixelTrace | None:
    """The trace that begins nearest to the gripper, if that is near."""
    (gripper_px,) = project(seen.camera, seen.arm.pose_gripper_in_base.translation_m)
    away_px = [float(np.linalg.norm(trace.start_px - gripper_px)) for trace in traces]
    near_px = AT_GRIPPER_SHARE * seen.camera.width_px
    near = [(away, trace) for away, trace in zip(away_px, traces, strict=True) if away < near_px]
    return min(near, key=lambda one: one[0])[1] if near else None
