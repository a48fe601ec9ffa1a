"""What a model is asked and what it answers, as plain values for a message, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from magma_ros.data_types import ArmState, EndEffectorDelta, GripperEvent, PixelTrace, Pose
from magma_ros.model.action_model import (
    ActionAnswer,
    ActionDeltas,
    Marks,
    ModelIdentity,
    TraceAnswer,
)
from magma_ros.model.action_scaling import ActionStatistics

Kind = Literal['action', 'trace', 'answer']
KINDS: tuple[Kind, ...] = get_args(Kind)  # the more urgent first
Answer = ActionAnswer | ActionDeltas | TraceAnswer | str


@dataclass(frozen=True)
class LoadedModel:
    """Which model a worker has, and what turns its tokens into motion."""

    identity: ModelIdentity
    statistics: ActionStatistics | None  # None: it answers in metres and radians


def loaded_fields(loaded: LoadedModel) -> dict[str, Any]:
    """For a message."""
    statistics = loaded.statistics
    return {
        'name': loaded.identity.name,
        'sha256': loaded.identity.sha256,
        'statistics': statistics
        and {
            'key': statistics.key,
            'q01': statistics.q01.tolist(),
            'q99': statistics.q99.tolist(),
            'mask': statistics.mask.tolist(),
        },
    }


def read_loaded(fields: dict[str, Any]) -> LoadedModel:
    """The inverse of :func:`loaded_fields`."""
    given = fields['statistics']
    statistics = given and ActionStatistics(
        given['key'],
        np.array(given['q01']),
        np.array(given['q99']),
        np.array(given['mask'], dtype=bool),
    )
    return LoadedModel(ModelIdentity(fields['name'], fields['sha256']), statistics)


def state_fields(state: ArmState | None) -> dict[str, Any] | None:
    """For a message."""
    if state is None:
        return None
    pose = state.pose_gripper_in_base
    return {
        'positions_rad': state.joint_positions_rad.tolist(),
        'velocities_rad_s': state.joint_velocities_rad_s.tolist(),
        'pose': [*pose.translation_m.tolist(), *pose.quaternion_xyzw.tolist()],
        'gripper_opening': float(state.gripper_opening),
        'stamp_ns': state.stamp_ns,
    }


def read_state(fields: dict[str, Any] | None) -> ArmState | None:
    """The inverse of :func:`state_fields`."""
    if fields is None:
        return None
    pose = np.array(fields['pose'])
    return ArmState(
        np.array(fields['positions_rad']),
        np.array(fields['velocities_rad_s']),
        Pose(pose[:3], pose[3:]),
        fields['gripper_opening'],
        fields['stamp_ns'],
    )


def marks_fields(marks: Marks | None) -> list[list[float]] | None:
    """For a message: number, x and y of each."""
    if marks is None:
        return None
    return [[mark, float(x), float(y)] for mark, (x, y) in marks.items()]


def read_marks(fields: list[list[float]] | None) -> Marks | None:
    """The inverse of :func:`marks_fields`."""
    if fields is None:
        return None
    return {int(mark): np.array([x, y]) for mark, x, y in fields}


def answer_fields(answer: Answer) -> dict[str, Any]:
    """For a message."""
    if isinstance(answer, ActionAnswer):
        probabilities = answer.probabilities
        return {
            'ids': list(answer.ids),
            'normalised': np.asarray(answer.normalised).tolist(),
            'probabilities': None if probabilities is None else np.asarray(probabilities).tolist(),
            'ids_per_pass': list(answer.ids_per_pass),
        }
    if isinstance(answer, ActionDeltas):
        rows = [
            [*delta.translation_m, *delta.rotation_vector_rad, delta.gripper_opening]
            for delta in answer.deltas
        ]
        return {
            'deltas': np.array(rows, dtype=float).tolist(),
            'step_s': answer.step_s,
            'reference': answer.reference,
        }
    if isinstance(answer, TraceAnswer):
        return {'traces': [_trace_fields(trace) for trace in answer.traces], 'text': answer.text}
    return {'text': answer}


def read_answer(kind: Kind, fields: dict[str, Any]) -> Answer:
    """The inverse of :func:`answer_fields`."""
    if kind == 'answer':
        return str(fields['text'])
    if kind == 'trace':
        return TraceAnswer([_read_trace(one) for one in fields['traces']], fields['text'])
    if 'deltas' in fields:
        rows = np.array(fields['deltas'], dtype=float).reshape(-1, 7)
        deltas = tuple(EndEffectorDelta(row[:3], row[3:6], float(row[6])) for row in rows)
        return ActionDeltas(deltas, fields['step_s'], fields['reference'])
    probabilities = fields['probabilities']
    return ActionAnswer(
        tuple(fields['ids']),
        np.array(fields['normalised'], dtype=float),
        None if probabilities is None else np.array(probabilities, dtype=float),
        tuple(fields['ids_per_pass']),
    )


def _trace_fields(trace: PixelTrace) -> dict[str, Any]:
    return {
        'mark': trace.mark,
        'start_px': np.asarray(trace.start_px).tolist(),
        'points_px': np.asarray(trace.points_px).reshape(-1, 2).tolist(),
        'events': [[index, event.value] for index, event in trace.events.items()],
    }


def _read_trace(fields: dict[str, Any]) -> PixelTrace:
    return PixelTrace(
        fields['mark'],
        np.array(fields['start_px'], dtype=float),
        np.array(fields['points_px'], dtype=float).reshape(-1, 2),
        {index: GripperEvent(event) for index, event in fields['events']},
    )
