"""Whether each joint went where it was told to: units, signs, order, joints that do not move."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from magma_ros.data_types import FloatArray
from magma_ros.motion.commissioning.records import Kind, Mismatch, Stroke

NOISE_RAD = 0.004  # of encoders, and what an arm sags
TOLERANCE = 0.3  # of what was told
LEAST_RAD = 0.01  # joints that were told less are not judged
DEGREES = math.degrees(1.0)


def diagnose_joints(strokes: Sequence[Stroke], joint_names: Sequence[str]) -> tuple[Mismatch, ...]:
    """Compare the way of each joint over all strokes with what it was told."""
    told = np.array([stroke.joints_told_rad for stroke in strokes])  # (n, dof)
    moved = np.array([stroke.joints_moved_rad for stroke in strokes])
    judged = [j for j in range(told.shape[1]) if np.abs(told[:, j]).max() >= LEAST_RAD]
    if judged and all(_follows(moved[:, j], told[:, j], DEGREES) for j in judged):
        text = 'every joint reports 57.3 times what it was told: degrees in the place of radians'
        return (Mismatch(Kind.JOINT_UNIT, f'{text}; set the unit in the driver'),)
    return tuple(_findings(told, moved, joint_names))


def _findings(told: FloatArray, moved: FloatArray, names: Sequence[str]) -> Iterator[Mismatch]:
    for place, name in enumerate(names):
        own, report = told[:, place], moved[:, place]
        if _follows(report, own, 1.0):
            continue
        if _follows(report, own, -1.0):
            text = f'{name} reports the opposite of what it was told; turn its sign in the driver'
            yield Mismatch(Kind.JOINT_SIGN, text)
        elif other := _other(report, told, place, names):
            text = f'{name} reports the motion of {other}; put names and positions in one order'
            yield Mismatch(Kind.JOINT_ORDER, text)
        elif _length(report) <= _noise(report) + 0.1 * _length(own):
            text = f'{name} was told to move {np.abs(own).max():.3f} rad and did not'
            yield Mismatch(Kind.JOINT_STUCK, f'{text}: torque, cable, or a motor in error')
        else:
            share = float(report @ own) / max(float(own @ own), 1e-12)
            text = f'{name} moved {share:.2f} times what it was told, and not in proportion'
            yield Mismatch(Kind.JOINT_FOLLOWS_BADLY, f'{text}: load, slip, or its unit')


def _other(report: FloatArray, told: FloatArray, place: int, names: Sequence[str]) -> str | None:
    """The joint whose commands this report follows."""
    if np.abs(report).max() < LEAST_RAD:
        return None
    for other, name in enumerate(names):
        if other != place and _follows(report, told[:, other], 1.0):
            return name
    return None


def _follows(report: FloatArray, told: FloatArray, factor: float) -> bool:
    wanted = factor * told
    return _length(report - wanted) <= TOLERANCE * _length(wanted) + _noise(report)


def _noise(report: FloatArray) -> float:
    return NOISE_RAD * math.sqrt(len(report))


def _length(column: FloatArray) -> float:
    return float(np.linalg.norm(column))


def diagnose_jump(stroke: Stroke, joint_names: Sequence[str]) -> Mismatch:
    """Why an arm went somewhere when it was told to stay where its joint states say it is.

    Servo then sends the arm to what it reads. If that differs from where the arm is, the arm
    goes there, and what is read changes in a way that gives the difference away.
    """
    began, moved = stroke.before.joints_rad, stroke.joints_moved_rad
    guesses = []
    for place, name in enumerate(joint_names):
        change = np.zeros_like(began)
        change[place] = -2 * began[place]
        if _is_underway(moved, change):
            guesses.append((Kind.JOINT_SIGN, f'{name} has the wrong sign'))
        for other in range(place):
            change = np.zeros_like(began)
            change[place] = began[other] - began[place]
            change[other] = -change[place]
            if _is_underway(moved, change):
                text = f'{name} and {joint_names[other]} have exchanged names'
                guesses.append((Kind.JOINT_ORDER, text))
    went = ', '.join(
        f'{name} {change:+.3f} rad'
        for name, change in zip(joint_names, moved.tolist(), strict=True)
        if abs(change) > LEAST_RAD
    )
    text = f'told to stand still, the arm moved ({went}): its joint_states are not where it is'
    kinds = {kind for kind, _ in guesses}
    if len(kinds) != 1:
        return Mismatch(Kind.RESTLESS, f'{text}; compare each with the arm by eye')
    why = ', or '.join(text for _, text in guesses)
    return Mismatch(kinds.pop(), f'{text}. In joint_states {why}')


def _is_underway(moved: FloatArray, change: FloatArray) -> bool:
    """Whether joints moved towards ``change``: these joints, in these directions, no others."""
    goes, must = np.abs(moved) > 2 * LEAST_RAD, np.abs(change) > 3 * LEAST_RAD
    if not must.any() or not goes[must].all():
        return False
    is_same_way = (moved[goes] * change[goes] > 0).all()
    return bool(is_same_way and (np.abs(moved) <= np.abs(change) + 2 * LEAST_RAD).all())
