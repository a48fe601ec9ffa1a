"""The thread that asks the model: newest picture in, chunk out, at most every 0.2 s."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from magma_ros.data_types import CameraImage, DeltaChunk, FloatArray, GuidedPath, PixelTrace
from magma_ros.errors import ArmError, CameraError, MagmaError
from magma_ros.image.image_checks import FrozenDetector
from magma_ros.image.projection import project
from magma_ros.model.action_model import ActionModel
from magma_ros.model.action_scaling import ActionStatistics
from magma_ros.motion.reason_codes import Reason
from magma_ros.nodes.perception_inputs import PerceptionInputs
from magma_ros.pipeline import POLICY_PERIOD_S, Mode, PredictMemory, predict
from magma_ros.ros.camera_messages import image_from_message

CAMERA_STALE_S = 0.5
WAIT_S = 0.1
PATH_POINTS = 300  # of the gripper's way that are kept: a minute


@dataclass(frozen=True)
class Prediction:
    """What one picture led to. Times on the ROS clock."""

    chunk: DeltaChunk
    image: CameraImage
    traces: list[PixelTrace]
    path: GuidedPath | None
    executed_px: FloatArray  # (n, 2) where the gripper was at this and earlier pictures
    started_ns: int
    ended_ns: int


@dataclass(frozen=True)
class Condition:
    """How it is going. A fault is a reason to hold."""

    text: str
    fault: Reason | None = None
    is_ok: bool = True


@dataclass
class PredictionWorker:
    """Runs until stopped. An error that is nobody's input ends the thread."""

    model: ActionModel
    statistics: ActionStatistics | None
    mode: Mode
    frame_id: str
    inputs: PerceptionInputs
    check_frozen: bool
    now_ns: Callable[[], int]
    publish: Callable[[Prediction], None]
    report: Callable[[Condition], None]
    _stopped: threading.Event = field(default_factory=threading.Event)
    _frozen: FrozenDetector = field(default_factory=FrozenDetector)
    _instruction: str = ''
    _been_m: deque[FloatArray] = field(default_factory=lambda: deque(maxlen=PATH_POINTS))

    def __post_init__(self) -> None:
        # Sequences of a restarted node go on above those of the one before.
        self._memory = PredictMemory(sequence=self.now_ns() // 1_000_000)
        self._thread = threading.Thread(target=self._run, name='prediction', daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the prediction under way, then no more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        next_look_s = time.monotonic()
        while not self._stopped.wait(max(0.0, next_look_s - time.monotonic())):
            message = self.inputs.images.take(WAIT_S)
            if message is None:
                if self.inputs.images.age_s(time.monotonic()) > CAMERA_STALE_S:
                    self.report(_fault(Reason.CAMERA_STALE))
                continue
            next_look_s = time.monotonic() + POLICY_PERIOD_S
            try:
                self.report(self._look(image_from_message(message)))
            except (CameraError, ArmError) as error:
                self.report(Condition(str(error), _named_reason(error), is_ok=False))
            except MagmaError as error:  # of the sentence or the answer: somebody should know
                self.report(Condition(str(error), is_ok=False))

    def _look(self, image: CameraImage) -> Condition:
        if self.check_frozen and self._frozen.is_frozen(image):
            return _fault(Reason.CAMERA_FROZEN)
        observation = self.inputs.observe(image)
        if not self._take_instruction():
            return Condition('waiting for an instruction')
        started_ns = self.now_ns()
        chunk = predict(
            self._memory,
            self.model,
            self.statistics,
            observation,
            self._instruction,
            self.mode,
            self.frame_id,
        )
        follower = self._memory.follower
        self._been_m.append(observation.arm.pose_gripper_in_base.translation_m)
        self.publish(
            Prediction(
                chunk,
                image,
                self._memory.traces,
                follower.path if follower else None,
                project(observation.camera, np.array(self._been_m)),
                started_ns,
                self.now_ns(),
            )
        )
        return Condition(f'doing "{self._instruction}"')

    def _take_instruction(self) -> str:
        """The sentence to obey; one that was said again begins anew, too."""
        if self.inputs.instructions.take(0.0) is not None:
            self._instruction = self.inputs.instructions.peek() or ''
            self._memory = PredictMemory(sequence=self._memory.sequence)
            self._been_m.clear()
            self.model.reset()
        return self._instruction.strip()


def _fault(reason: Reason) -> Condition:
    return Condition(reason.text, reason, is_ok=False)


def _named_reason(error: MagmaError) -> Reason:
    """Errors of pictures and joints begin with the name of their reason."""
    name = str(error).split(':', 1)[0]
    if name in Reason.__members__:
        return Reason[name]
    return Reason.CAMERA_FORMAT if isinstance(error, CameraError) else Reason.JOINTS_INVALID
