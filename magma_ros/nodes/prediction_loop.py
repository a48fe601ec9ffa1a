"""The thread that looks: newest picture in, chunk out, at most every 0.2 s."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from magma_ros.data_types import (
    CameraImage,
    DeltaChunk,
    FloatArray,
    GuidedPath,
    Observation,
    PixelTrace,
)
from magma_ros.errors import ArmError, CameraError, MagmaError
from magma_ros.image.image_checks import Finding, find_fault, find_wrong_frame
from magma_ros.image.projection import project
from magma_ros.image.stream_checks import FrozenDetector, StampOrder, find_late
from magma_ros.motion.reason_codes import Reason
from magma_ros.nodes.model_worker import ModelWorker
from magma_ros.nodes.perception_inputs import Arrival, PerceptionInputs
from magma_ros.nodes.perception_timing import PerceptionTiming
from magma_ros.nodes.worker_model import WorkerModel
from magma_ros.pipeline import POLICY_PERIOD_S, Mode, PredictMemory, predict

WAIT_S = 0.1
EARLY_S = 0.02  # before its turn a picture is as good: the next one may come a frame late
PATH_POINTS = 300  # of the gripper's way that are kept: a minute


@dataclass(frozen=True)
class Prediction:
    """What one picture led to. Times on the ROS clock."""

    chunk: DeltaChunk
    seen: Observation
    traces: list[PixelTrace]
    path: GuidedPath | None
    executed_px: FloatArray  # (n, 2) where the gripper was at this and earlier pictures
    started_ns: int
    ended_ns: int

    @property
    def image(self) -> CameraImage:
        """The picture."""
        return self.seen.image


@dataclass(frozen=True)
class Condition:
    """How it is going. A fault is a reason to hold; with ``is_ok``, to slow down."""

    text: str
    fault: Reason | None = None
    is_ok: bool = True


@dataclass(frozen=True)
class LookSettings:
    """How pictures are looked at."""

    mode: Mode
    frame_id: str  # the arm's base link
    check_frozen: bool = True
    camera_frame: str = ''  # of the pictures; empty: any
    draws_path: bool = False  # direct mode: the model sees its path in the picture


@dataclass
class PredictionLoop:
    """Runs until stopped. An error that is nobody's input ends the thread.

    ``changed`` is called after each look; ``condition`` is what came of it.
    """

    worker: ModelWorker
    inputs: PerceptionInputs
    settings: LookSettings
    timing: PerceptionTiming
    now_ns: Callable[[], int]
    publish: Callable[[Prediction], None]
    changed: Callable[[], None]
    condition: Condition = Condition('waiting for pictures')
    newest: Observation | None = None  # that passed its checks
    _stopped: threading.Event = field(default_factory=threading.Event)
    _frozen: FrozenDetector = field(default_factory=FrozenDetector)
    _order: StampOrder = field(default_factory=StampOrder)
    _instruction: str = ''
    _been_m: deque[FloatArray] = field(default_factory=lambda: deque(maxlen=PATH_POINTS))
    _due_s: float = 0.0
    _overwritten: int = 0

    def __post_init__(self) -> None:
        # Sequences of a restarted node go on above those of the one before.
        self._memory = PredictMemory(sequence=self.now_ns() // 1_000_000)
        self._model = WorkerModel(self.worker)
        self._thread = threading.Thread(target=self._run, name='prediction', daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def newest_task(self) -> tuple[Observation, str] | None:
        """The newest picture and what is being done; None when nothing is."""
        instruction, seen = self._instruction.strip(), self.newest
        return (seen, instruction) if seen is not None and instruction else None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the prediction under way, then no more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            arrival = self.inputs.pictures.take(WAIT_S)
            if arrival is not None:
                self.take(arrival)

    def take(self, arrival: Arrival) -> None:
        """Look at a picture if it is new and its turn has come."""
        if self._is_wanted(arrival):
            self.condition = self._try_to_look(arrival)
            self.changed()

    def _is_wanted(self, arrival: Arrival) -> bool:
        came_s, overwritten = arrival.came_s, self.inputs.pictures.overwritten
        self.timing.note_fate('overtaken', came_s, overwritten - self._overwritten)
        self._overwritten = overwritten
        if not self._order.accepts(arrival.stamp_ns):
            self.timing.note_fate('out_of_order', came_s)
            return False
        if came_s < self._due_s - EARLY_S:
            self.timing.note_fate('not_due', came_s)
            return False
        self._due_s = max(self._due_s, came_s - EARLY_S) + POLICY_PERIOD_S
        return True

    def _try_to_look(self, arrival: Arrival) -> Condition:
        try:
            condition = self._look(arrival)
        except (CameraError, ArmError) as error:
            condition = Condition(str(error), _named_reason(error), is_ok=False)
        except MagmaError as error:  # of the sentence or the answer: somebody should know
            condition = Condition(str(error), is_ok=False)
        if not condition.is_ok:
            self.timing.note_fate('refused', arrival.came_s)
        return condition

    def _look(self, arrival: Arrival) -> Condition:
        taken_s = time.monotonic()
        finding = find_late(arrival.stamp_ns, arrival.came_ns)
        if finding is not None:
            return _faulty(finding)
        image = arrival.read()
        observation = self.inputs.observe(image)
        finding = self._find_fault(observation)
        if finding is not None:
            return _faulty(finding)
        self.newest = observation
        if not self._take_instruction():
            self.timing.note_fate('no_instruction', taken_s)
            return Condition('waiting for an instruction')
        checked_s = time.monotonic()
        prediction = self._predict(observation)
        predicted_s = time.monotonic()
        self.publish(prediction)
        asked_s, self._model.spent_s = self._model.spent_s, {}
        self.timing.note_fate('acted', predicted_s)
        self.timing.note_stages(
            {
                'receive': (arrival.came_ns - arrival.stamp_ns) * 1e-9,
                'wait': taken_s - arrival.came_s,
                'check': checked_s - taken_s,
                **asked_s,
                'decode': predicted_s - checked_s - sum(asked_s.values()),
                'publish': time.monotonic() - predicted_s,
            }
        )
        return Condition(f'doing "{self._instruction}"')

    def _find_fault(self, observation: Observation) -> Finding | None:
        image, camera = observation.image, observation.camera
        frozen = self._frozen.find_fault(image) if self.settings.check_frozen else None
        return (
            find_wrong_frame(image, self.settings.camera_frame)
            or find_fault(image, (camera.width_px, camera.height_px))
            or frozen
        )

    def _predict(self, observation: Observation) -> Prediction:
        started_ns, loaded = self.now_ns(), self.worker.loaded
        chunk = predict(
            self._memory,
            self._model,
            loaded.statistics if loaded else None,
            observation,
            self._instruction,
            self.settings.mode,
            self.settings.frame_id,
            self.settings.draws_path,
        )
        follower = self._memory.follower
        self._been_m.append(observation.arm.pose_gripper_in_base.translation_m)
        return Prediction(
            chunk,
            observation,
            self._memory.traces,
            follower.path if follower else None,
            project(observation.camera, np.array(self._been_m)),
            started_ns,
            self.now_ns(),
        )

    def _take_instruction(self) -> str:
        """The sentence to obey; one that was said again begins anew, too."""
        if self.inputs.instructions.take(0.0) is not None:
            self._instruction = self.inputs.instructions.peek() or ''
            self._memory = PredictMemory(sequence=self._memory.sequence)
            self._been_m.clear()
            self._model.reset()
        return self._instruction.strip()


def _faulty(finding: Finding) -> Condition:
    return Condition(f'{finding.code}: {finding.text}', Reason[finding.code], is_ok=False)


def _named_reason(error: MagmaError) -> Reason:
    """Errors of pictures and joints begin with the name of their reason."""
    name = str(error).split(':', 1)[0]
    if name in Reason.__members__:
        return Reason[name]
    return Reason.CAMERA_FORMAT if isinstance(error, CameraError) else Reason.JOINTS_INVALID
