"""What the seven numbers of an action mean: Bridge's convention, DROID's, and their variants.

Sources: rail-berkeley/bridge_data_v2 and bridge_data_robot, openvla/openvla ``transforms.py``,
droid-dataset/droid. Both conventions take displacements in base axes and turn from the left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from magma_ros.data_types import FloatArray, Pose
from magma_ros.errors import ConfigurationError
from magma_ros.model.text.state_text import state_values
from magma_ros.rotations import (
    euler_from_down,
    euler_from_quaternion,
    quaternion_difference,
    turn_quaternion,
)

Source = Literal['states', 'chunks']
Turn = Literal['euler', 'rotation_vector', 'bridge_naive']
IDENTITY_XYZW = np.array([0.0, 0.0, 0.0, 1.0])
SOURCES: tuple[Source, ...] = get_args(Source)
TURNS: tuple[Turn, ...] = get_args(Turn)


@dataclass(frozen=True)
class ActionConvention:
    """How an action is written down.

    Attributes:
        source: ``states``: from where the gripper was to where it got until the next sample;
            ``chunks``: what was commanded in between.
        turn: ``euler``: fixed-axis roll, pitch, yaw of the turn, safe where angles wrap;
            ``rotation_vector``; ``bridge_naive``: differences of the Euler angles of two states,
            as OpenVLA made its Bridge data, wrap and all.
        open_value: of the gripper: 1 in Bridge, 0 in DROID (where 1 is closed).
    """

    source: Source = 'states'
    turn: Turn = 'euler'
    open_value: Literal[0, 1] = 1

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.source not in SOURCES or self.turn not in TURNS or self.open_value not in (0, 1):
            raise ConfigurationError(
                f'actions from {self.source!r} with turns as {self.turn!r}: choose from '
                f'{", ".join(SOURCES)} and {", ".join(TURNS)}'
            )
        if self.source == 'chunks' and self.turn == 'bridge_naive':
            raise ConfigurationError('bridge_naive subtracts states; take the actions from states')

    def gripper(self, opening: float) -> float:
        """The seventh number of an opening 0..1."""
        return opening if self.open_value == 1 else 1.0 - opening

    def between(self, start: Pose, goal: Pose) -> FloatArray:
        """(6,) metres and radians that take the gripper from ``start`` to ``goal``."""
        shift = goal.translation_m - start.translation_m
        if self.turn == 'bridge_naive':
            return np.concatenate([shift, euler_from_down(goal) - euler_from_down(start)])
        turn = quaternion_difference(start.quaternion_xyzw, goal.quaternion_xyzw)
        return np.concatenate([shift, self._written(turn)])

    def commanded(self, shift_m: FloatArray, rotation_vector_rad: FloatArray) -> FloatArray:
        """(6,) of a commanded displacement."""
        return np.concatenate([shift_m, self._written(rotation_vector_rad)])

    def _written(self, rotation_vector_rad: FloatArray) -> FloatArray:
        if self.turn == 'rotation_vector':
            return rotation_vector_rad
        return euler_from_quaternion(turn_quaternion(IDENTITY_XYZW, rotation_vector_rad))


BRIDGE = ActionConvention()
DROID = ActionConvention(open_value=0)
CONVENTIONS = {'bridge': BRIDGE, 'droid': DROID}


def state_vector(pose: Pose, opening: float, convention: ActionConvention) -> FloatArray:
    """(7,): x, y, z (m), roll, pitch, yaw away from straight down (rad), gripper."""
    return state_values(pose, convention.gripper(opening))
