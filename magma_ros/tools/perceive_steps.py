"""One picture after the other: checked, asked about, drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magma_ros.camera.frame_source import Frame
from magma_ros.data_types import ArmState, EndEffectorDelta, PixelTrace
from magma_ros.errors import CameraError
from magma_ros.image.image_checks import find_fault
from magma_ros.image.trace_overlay import draw_overlay
from magma_ros.model.action_model import ActionDeltas
from magma_ros.model.action_scaling import decode_delta
from magma_ros.model.backends.acting_model import ActingModel


@dataclass(frozen=True)
class Look:
    """What came of one picture; ``delta`` and ``ids`` are empty where it could not be used."""

    stamp_ns: int
    picture: NDArray[np.uint8]  # with everything drawn into it
    delta: EndEffectorDelta | None
    ids: tuple[int, ...]  # of the tokens, where the model says them
    latency_s: float  # of the action
    fault: str = ''


class Perceiver:
    """Asks a model about pictures.

    Args:
        acting: the model.
        instruction: what to do.
        arm: where the arm is, or is assumed to be.
        trace_every: ask for a trace at every Nth picture; 0: never.
        now_s: a clock, for latencies.
    """

    def __init__(
        self,
        acting: ActingModel,
        instruction: str,
        arm: Callable[[], ArmState | None],
        trace_every: int,
        now_s: Callable[[], float],
    ) -> None:
        self._model, self._statistics = acting.model, acting.statistics
        self._instruction, self._arm, self._now_s = instruction, arm, now_s
        self._trace_every = trace_every
        self._traces: list[PixelTrace] = []
        self._count = 0

    def look(self, frame: Frame) -> Look:
        """Ask about one picture; a dark one is not asked about.

        Raises:
            InstructionError: the sentence cannot be used.
            ModelError: the model fails, or its server is gone.
        """
        image, camera = frame.image, frame.camera
        fault = find_fault(image, (camera.width_px, camera.height_px))
        if fault is not None:
            return self._refused(frame, fault.code)
        arm, began_s = self._arm(), self._now_s()
        try:
            answer = self._model.generate_action(image.rgb, self._instruction, arm)
        except CameraError as error:
            return self._refused(frame, str(error))
        latency_s = self._now_s() - began_s
        if self._trace_every and self._count % self._trace_every == 0:
            self._traces = self._model.generate_trace(image.rgb, self._instruction, arm).traces
        self._count += 1
        if isinstance(answer, ActionDeltas):
            delta = answer.deltas[0]
        else:
            if self._statistics is None:
                raise ValueError('a model that answers in tokens needs its action statistics')
            delta = decode_delta(answer.normalised, self._statistics)
        status = f'{describe_delta(delta)}   {latency_s * 1e3:.0f} ms'
        picture = draw_overlay(image.rgb, self._traces, None, self._instruction, status)
        ids = () if isinstance(answer, ActionDeltas) else answer.ids
        return Look(image.stamp_ns, picture, delta, ids, latency_s)

    def _refused(self, frame: Frame, fault: str) -> Look:
        picture = draw_overlay(frame.image.rgb, (), None, self._instruction, f'not used: {fault}')
        return Look(frame.image.stamp_ns, picture, None, (), 0.0, fault)


def describe_delta(delta: EndEffectorDelta) -> str:
    """A displacement in one line, in mm and degrees."""
    x, y, z = (delta.translation_m * 1e3).tolist()
    turn_deg = np.rad2deg(np.linalg.norm(delta.rotation_vector_rad))
    return (
        f'x {x:+.0f} y {y:+.0f} z {z:+.0f} mm   turn {turn_deg:.0f} deg   '
        f'gripper {delta.gripper_opening:.1f}'
    )
