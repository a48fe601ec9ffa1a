"""Whether the tool went where it was told to: frames, signs, units, the tool centre point."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from magma_ros.data_types import FloatArray, Pose
from magma_ros.motion.commissioning.records import TURNS, Kind, Mismatch, Stroke
from magma_ros.rotations import quaternion_difference

TOLERANCE = 0.25  # of the way; half of what a turn by 30 degrees makes of it
SCALES = (0.7, 1.4)  # motion that is rightly scaled is between these
TIP_M = 0.03  # further away than this a tool centre point is another one
TRANSFORM_M, TRANSFORM_RAD = 0.005, 0.035  # the first as in the arming check "kinematics"


@dataclass(frozen=True)
class _Frame:
    """How axes of a command may have been understood: moved = scale * turn @ sent."""

    turn: FloatArray  # (3, 3)
    kind: Kind | None  # None: as meant
    text: str = ''


def diagnose_frames(strokes: Sequence[Stroke], tip_in_base: FloatArray) -> tuple[Mismatch, ...]:
    """Compare the motion of the tool with the twists.

    Args:
        strokes: along and about axes.
        tip_in_base: (3, 3), axes of the tip link, in which Servo may understand a twist.
    """
    moves = [stroke for stroke in strokes if stroke.axis not in TURNS]
    turns = [stroke for stroke in strokes if stroke.axis in TURNS]
    found = list(_of_half(moves, slice(0, 3), 'moving', tip_in_base))
    of_turns = list(_of_half(turns, slice(3, 6), 'turning', tip_in_base))
    if turns and not of_turns:
        of_turns += _tip(turns)
    return (*found, *of_turns)


def diagnose_transform(own: Pose, heard: Pose, where: str) -> tuple[Mismatch, ...]:
    """Compare the tip in the base by our kinematics with what others say (``where``)."""
    here, there = own.translation_m, heard.translation_m
    turned = np.linalg.norm(quaternion_difference(own.quaternion_xyzw, heard.quaternion_xyzw))
    apart_m = float(np.linalg.norm(here - there))
    if apart_m <= TRANSFORM_M and turned <= TRANSFORM_RAD:
        return ()
    text = f'{where} has the tip at {there.round(4).tolist()}, our kinematics at '
    text += f'{here.round(4).tolist()} m'
    if np.linalg.norm(here - there / 1000) <= TRANSFORM_M:
        return (Mismatch(Kind.TRANSFORM, f'{text}: millimetres in the place of metres'),)
    for degrees in (90, -90, 180):
        if np.linalg.norm(_yaw(degrees) @ here - there) <= TRANSFORM_M:
            return (Mismatch(Kind.BASE_FRAME, f'{text}: its base is turned by {degrees} degrees'),)
    if apart_m <= TRANSFORM_M:
        return (
            Mismatch(
                Kind.TOOL_FRAME,
                f'{where} has the tip turned by {math.degrees(turned):.0f} degrees: '
                'tip_link or the gripper in the URDF is another one',
            ),
        )
    return (
        Mismatch(
            Kind.TRANSFORM,
            f'{text}: base_link, tip_link or the URDF are of another arm, or its joints are '
            'calibrated otherwise',
        ),
    )


def _of_half(
    strokes: Sequence[Stroke], half: slice, doing: str, tip_in_base: FloatArray
) -> Iterator[Mismatch]:
    if not strokes:
        return
    sent = np.array([stroke.sent[half] for stroke in strokes])  # (n, 3)
    moved = np.array([stroke.tool_moved[half] for stroke in strokes])
    went, asked = np.linalg.norm(moved, axis=1), np.linalg.norm(sent, axis=1)
    blocked = sorted({s.axis for s, w, a in zip(strokes, went, asked, strict=True) if w < 0.1 * a})
    if blocked and len(blocked) < len({stroke.axis for stroke in strokes}):
        yield Mismatch(
            Kind.AXIS_BLOCKED,
            f'{doing} the tool along or about {", ".join(blocked)} had no effect: is the arm near '
            'the end of a joint, a singular pose or an obstacle of Servo?',
        )
        return
    frame, scale = _nearest(sent, moved, tip_in_base)
    if frame.kind is not None:
        yield Mismatch(frame.kind, f'{doing} the tool: {frame.text}')
    if not SCALES[0] < scale < SCALES[1]:
        yield Mismatch(
            Kind.MOTION_UNIT,
            f'{doing} the tool went {scale:.3g} times as far as asked: set command_in_type of '
            'Servo to speed_units and compare its scale, and look for mm or degrees in the driver',
        )


def _nearest(sent: FloatArray, moved: FloatArray, tip_in_base: FloatArray) -> tuple[_Frame, float]:
    for frame in _frames(tip_in_base):
        expected = sent @ frame.turn.T
        scale = float(np.vdot(moved, expected) / np.vdot(expected, expected))
        error = np.linalg.norm(moved - scale * expected) / np.linalg.norm(moved)
        if scale > 0 and error < TOLERANCE:
            return frame, scale
    return _other_turn(sent, moved)


def _frames(tip_in_base: FloatArray) -> Iterator[_Frame]:
    """In the order of trying: one motion may fit several, when not all axes were tried."""
    yield _Frame(np.eye(3), None)
    for degrees in (90, -90, 180):
        yield _Frame(_yaw(degrees), Kind.BASE_FRAME, _yaw_text(degrees))
    text = 'it follows the axes of the tool, not of the base link: Servo must obey header.frame_id'
    yield _Frame(tip_in_base, Kind.TOOL_FRAME, text)
    for signs in ((-1, 1, 1), (1, -1, 1), (1, 1, -1), (1, -1, -1), (-1, 1, -1), (-1, -1, -1)):
        names = [name for name, sign in zip('xyz', signs, strict=True) if sign < 0]
        text = f'it goes backwards in {", ".join(names)}: a sign in the driver or the URDF'
        yield _Frame(np.diag(signs).astype(float), Kind.AXIS_SIGN, text)


def _other_turn(sent: FloatArray, moved: FloatArray) -> tuple[_Frame, float]:
    scale = float(np.linalg.norm(moved) / np.linalg.norm(sent))
    turn, distance = Rotation.align_vectors(moved, scale * sent)
    text = 'it goes elsewhere than asked, and no turn of the axes explains it'
    kind = Kind.OTHER_FRAME
    if distance / np.linalg.norm(moved) < TOLERANCE:
        vector = turn.as_rotvec(degrees=True)
        text = f'its axes are turned by the rotation vector {vector.round().tolist()} degrees'
        if np.linalg.norm(vector[:2]) < 0.2 * abs(vector[2]):
            kind, text = Kind.BASE_FRAME, _yaw_text(round(vector[2]))
    return _Frame(turn.as_matrix(), kind, text), scale


def _tip(turns: Sequence[Stroke]) -> tuple[Mismatch, ...]:
    """The tool centre point must stay where it is while it turns: moved = turn x lever."""
    rows = [-_cross(stroke.tool_moved[3:]) for stroke in turns]
    moved = [stroke.tool_moved[:3] for stroke in turns]
    lever, *_ = np.linalg.lstsq(-np.vstack(rows), np.concatenate(moved), rcond=None)
    far_m = float(np.linalg.norm(lever))
    if far_m <= TIP_M:
        return ()
    text = f'the tool turns about a point {far_m:.2f} m from its tip'
    return (Mismatch(Kind.TIP, f"{text}: Servo's group must end in tip_link of the profile"),)


def _cross(vector: FloatArray) -> FloatArray:
    x, y, z = vector.tolist()
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def _yaw(degrees: float) -> FloatArray:
    return Rotation.from_euler('z', degrees, degrees=True).as_matrix()


def _yaw_text(degrees: float) -> str:
    return (
        f'the base is turned by {degrees:.0f} degrees about z: base_link of the profile, the '
        "planning frame of Servo and the arm's mounting must be one"
    )
