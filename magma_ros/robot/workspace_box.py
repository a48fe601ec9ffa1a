"""The workspace box of a table, from where a person has led the gripper to."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from magma_ros.data_types import FloatArray
from magma_ros.errors import ConfigurationError
from magma_ros.robot.arm_profile import ArmProfile, load_arm_profile
from magma_ros.robot.kinematics import Kinematics

MARGIN_M = 0.01  # how much smaller than what was shown: a fingertip is not a point
SMALLEST_M = 0.05
REACH_SAMPLES, REACH_SHARE = 2000, 1.02  # of joint space, and what sampling misses
TITLE = """\
What differs from the arm profile on this table; written by magma arm-check --record-box.
Give the path of this file wherever an arm is asked for."""


@dataclass(frozen=True)
class WorkspaceBox:
    """Corners in the base frame, (3,) each."""

    min_m: FloatArray
    max_m: FloatArray


def box_of(corners_m: Sequence[FloatArray], margin_m: float = MARGIN_M) -> WorkspaceBox | None:
    """The box that holds all corners, ``margin_m`` smaller on every side; None without corners.

    It may be inside out; :func:`check_box` says so.
    """
    if not corners_m:
        return None
    corners = np.array(corners_m)
    return WorkspaceBox(corners.min(axis=0) + margin_m, corners.max(axis=0) - margin_m)


def check_box(box: WorkspaceBox, reach_m: float) -> None:
    """Refuse a box that no arm can use.

    Raises:
        ConfigurationError: it is too thin, or a corner is further away than ``reach_m``.
    """
    size_m = box.max_m - box.min_m
    thin = [axis for axis, length in zip('xyz', size_m, strict=True) if length < SMALLEST_M]
    if thin:
        raise ConfigurationError(
            f'the box is {size_m.round(3).tolist()} m; along {", ".join(thin)} it must be at '
            f'least {SMALLEST_M} m. Show two opposite corners, one at the table and one above'
        )
    corners = itertools.product(*zip(box.min_m.tolist(), box.max_m.tolist(), strict=True))
    farthest = max(corners, key=lambda corner: float(np.linalg.norm(corner)))
    far_m = float(np.linalg.norm(farthest))
    if far_m > reach_m:
        raise ConfigurationError(
            f'corner {np.round(farthest, 3).tolist()} of the box is {far_m:.2f} m away, the arm '
            f'reaches {reach_m:.2f} m; show a lower or nearer corner'
        )


def reach_of(kinematics: Kinematics) -> float:
    """How far from the origin of the base the tool centre point gets (m), by sampling."""
    shares = np.random.default_rng(0).uniform(size=(REACH_SAMPLES, len(kinematics.joint_names)))
    joints = kinematics.lower_rad + shares * (kinematics.upper_rad - kinematics.lower_rad)
    return REACH_SHARE * max(float(np.linalg.norm(kinematics.matrix(q)[:3, 3])) for q in joints)


def write_box(path: Path, profile: ArmProfile, box: WorkspaceBox) -> ArmProfile:
    """Write the box into an overlay of the profile, new or with its comments kept.

    Returns:
        The profile as nodes will read it from ``path``.

    Raises:
        ConfigurationError: the path has another suffix, the file belongs to another arm or cannot
            be written, or the nodes would refuse it; then the file stays as it was.
    """
    if path.suffix != '.yaml':
        raise ConfigurationError(f'{path} must end in .yaml, or nodes take it for a name')
    round_trip = YAML()  # keeps comments
    overlay = _existing(path, profile, round_trip)
    limits = overlay.setdefault('limits', CommentedMap())
    limits['box_min_m'], limits['box_max_m'] = _flow(box.min_m), _flow(box.max_m)
    overlay['box_recorded'] = True
    try:
        with tempfile.TemporaryDirectory(dir=path.resolve().parent) as directory:
            written = Path(directory) / path.name
            with written.open('w', encoding='utf-8') as file:
                round_trip.dump(overlay, file)
            read = load_arm_profile(str(written))
            os.replace(written, path)
    except OSError as error:
        raise ConfigurationError(f'{path} cannot be written: {error}') from error
    return read


def _existing(path: Path, profile: ArmProfile, round_trip: YAML) -> Any:
    if not path.exists():
        overlay = CommentedMap(profile=profile.name)
        overlay.yaml_set_start_comment(TITLE)
        return overlay
    try:
        overlay = round_trip.load(path.read_text(encoding='utf-8'))
    except (OSError, YAMLError) as error:
        raise ConfigurationError(f'{path} cannot be read: {error}') from error
    if not isinstance(overlay, CommentedMap) or overlay.get('profile') != profile.name:
        raise ConfigurationError(f'{path} is no overlay of {profile.name}; choose another file')
    return overlay


def _flow(values_m: FloatArray) -> CommentedSeq:
    sequence = CommentedSeq(round(value, 4) for value in values_m.tolist())
    sequence.fa.set_flow_style()
    return sequence
