"""Reference pose + delta -> target pose."""

from __future__ import annotations

from dataclasses import replace

from magma_ros.data_types import DeltaChunk, EndEffectorDelta, MotionLimits, Pose
from magma_ros.motion.norms import length, shorten
from magma_ros.motion.workspace import confine
from magma_ros.rotations import quaternion_difference, rotate_vector, turn_quaternion


def apply_delta(reference: Pose, delta: EndEffectorDelta) -> Pose:
    """The displaced pose: xyz = reference + d, R = dR R_reference, all in base axes.

    With the measured pose as reference this is DROID's rule; with the pose last commanded the
    rotation acts about the commanded point.
    """
    return Pose(
        reference.translation_m + delta.translation_m,
        turn_quaternion(reference.quaternion_xyzw, delta.rotation_vector_rad),
    )


def apply_delta_about(centre: Pose, reference: Pose, delta: EndEffectorDelta) -> Pose:
    """Bridge's own rule: T(c) [dR, d] T(c)^-1 reference, with c where the gripper was measured.

    It differs from :func:`apply_delta` by the arc that the reference makes about c, which is third
    order small while the arm follows its commands. Source: bridge_data_robot, ``next_target``.
    """
    arm = reference.translation_m - centre.translation_m
    return Pose(
        centre.translation_m + rotate_vector(delta.rotation_vector_rad, arm) + delta.translation_m,
        turn_quaternion(reference.quaternion_xyzw, delta.rotation_vector_rad),
    )


def clamp_delta(
    delta: EndEffectorDelta, limits: MotionLimits
) -> tuple[EndEffectorDelta, tuple[str, ...]]:
    """Shorten a delta that is longer than one step may be; its direction stays."""
    step = shorten(delta.translation_m, limits.step_m)
    turn = shorten(delta.rotation_vector_rad, limits.step_rad)
    if step is delta.translation_m and turn is delta.rotation_vector_rad:
        return delta, ()
    return replace(delta, translation_m=step, rotation_vector_rad=turn), ('step',)


def keep_near(pose: Pose, anchor: Pose, reach_m: float, reach_rad: float) -> Pose:
    """The pose, pulled to within ``reach_m`` and ``reach_rad`` of ``anchor``."""
    away = pose.translation_m - anchor.translation_m
    turned = quaternion_difference(anchor.quaternion_xyzw, pose.quaternion_xyzw)
    if length(away) <= reach_m and length(turned) <= reach_rad:
        return pose
    return Pose(
        anchor.translation_m + shorten(away, reach_m),
        turn_quaternion(anchor.quaternion_xyzw, shorten(turned, reach_rad)),
    )


def chunk_targets(
    chunk: DeltaChunk, reference: Pose, first_step: int, limits: MotionLimits
) -> tuple[tuple[Pose, tuple[str, ...]], ...]:
    """The target of every step and what was clipped to get it, each relative to the one before.

    Targets lie in the workspace box and the orientation cone. Steps before ``first_step`` are
    composed only when the chunk refers to a measured pose: their time is over, and what the arm
    did in it is part of the way. A commanded reference already contains that way, so there they
    are dropped.
    """
    targets = []
    target = reference
    for step, delta in enumerate(chunk.deltas):
        clipped: tuple[str, ...] = ()
        if chunk.reference == 'measured' or step >= first_step:
            clamped, shortened = clamp_delta(delta, limits)
            target, confined = confine(apply_delta(target, clamped), limits)
            clipped = shortened + confined
        targets.append((target, clipped))
    return tuple(targets)
