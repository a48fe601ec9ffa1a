"""From the strokes of an arm to what is wrong with it: the gravest first, and no consequences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from magma_ros.data_types import FloatArray
from magma_ros.motion.commissioning.frame_diagnosis import diagnose_frames
from magma_ros.motion.commissioning.joint_diagnosis import diagnose_joints, diagnose_jump
from magma_ros.motion.commissioning.records import HOLD, REST, TURNS, Kind, Mismatch, Stroke
from magma_ros.motion.commissioning.strokes import DISTANCE_M, DISTANCE_RAD

STILL_RAD = 0.006  # encoders tremble by less
SHORTEST_SHARE = 0.5  # of a stroke that still says something
JUMP_RAD = 0.03  # an arm that begins to hold sags by less


def diagnose(
    strokes: Sequence[Stroke], joint_names: Sequence[str], tip_in_base: FloatArray
) -> tuple[Mismatch, ...]:
    """What the strokes show; empty when everything is right.

    Args:
        strokes: in the order of :func:`run_strokes`; a surprise may have ended them early.
        joint_names: (dof,).
        tip_in_base: (3, 3), axes of the tip link in the base at the beginning.
    """
    for stroke in strokes:
        moved_rad = float(np.abs(stroke.joints_moved_rad).max())
        if stroke.name == REST and (stroke.surprise or moved_rad > 2 * STILL_RAD):
            text = f'joints moved by {moved_rad:.3f} rad while nothing was sent: who moves it?'
            return (Mismatch(Kind.RESTLESS, text),)
        if stroke.name == HOLD and (stroke.surprise or moved_rad > JUMP_RAD):
            return (diagnose_jump(stroke, joint_names),)
    tried = [stroke for stroke in strokes if stroke.name not in (REST, HOLD)]
    if not tried:
        return ()
    if short := [s.name for s in tried if _share_gone(s) < SHORTEST_SHARE and not s.surprise]:
        text = f'our own limits left no room for {", ".join(short)}'
        advice = 'plan to "start": an end of a joint, a singular pose or the cone is near'
        return (Mismatch(Kind.AXIS_BLOCKED, f'{text}; {advice}'),)
    if all(np.abs(stroke.joints_moved_rad).max() < STILL_RAD for stroke in tried):
        return (_still(tried),)
    found = diagnose_joints(tried, joint_names) or diagnose_frames(tried, tip_in_base)
    return found or _broken_off(tried) or _seen(tried)


def _share_gone(stroke: Stroke) -> float:
    distance = DISTANCE_RAD if stroke.axis in TURNS else DISTANCE_M
    return float(np.abs(stroke.sent).max()) / distance


def _still(strokes: Sequence[Stroke]) -> Mismatch:
    elsewhere = sorted(
        {
            name
            for stroke in strokes
            for name, moved_rad in stroke.others_moved_rad.items()
            if moved_rad > STILL_RAD
        }
    )
    if elsewhere:
        text = f'this arm stayed where it was while {", ".join(elsewhere)} moved'
        advice = 'compare trajectory_topic and joint_states_topic of the profile with the drivers'
        return Mismatch(Kind.OTHER_ARM, f'{text}: {advice}')
    if all(stroke.after.commanded_rad is None for stroke in strokes):
        text = 'no joint moved, and Servo sent no trajectory to trajectory_topic'
        advice = 'look at its status and its command_out_topic'
        return Mismatch(Kind.SERVO_SILENT, f'{text}: {advice}')
    text = 'Servo commanded the arm, and no joint moved'
    advice = 'is the torque on, the controller active, the emergency stop released?'
    return Mismatch(Kind.ARM_STILL, f'{text}: {advice}')


def _broken_off(strokes: Sequence[Stroke]) -> tuple[Mismatch, ...]:
    """A surprise that nothing above explains."""
    return tuple(
        Mismatch(Kind.RESTLESS, f'{stroke.name} was broken off: {stroke.surprise}')
        for stroke in strokes
        if stroke.surprise
    )


def _seen(strokes: Sequence[Stroke]) -> tuple[Mismatch, ...]:
    wrong = [stroke.name for stroke in strokes if stroke.was_seen is False]
    if not wrong:
        return ()
    return (
        Mismatch(
            Kind.SEEN,
            f'you saw {", ".join(wrong)} go elsewhere, although joint_states are as expected: the '
            'base is mounted otherwise than the URDF says, or the zero or sign of a joint differs '
            'in commands and reports alike',
        ),
    )
