"""What the seven numbers of a server's action mean, and their way into metres and radians."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from magma_ros.data_types import EndEffectorDelta, Reference
from magma_ros.errors import ModelError
from magma_ros.model.action_model import ActionDeltas
from magma_ros.model.action_tokens import ACTION_LENGTH, ACTION_NAMES
from magma_ros.rotations import rotation_vector_from_euler

Rotation = Literal['euler_xyz', 'rotation_vector']
MOST_STEPS = 64  # of one chunk; pi0 gives 10 to 50
LARGEST = 1e6  # of a number that states a unit


@dataclass(frozen=True)
class ActionSpace:
    """Units and conventions; the defaults are ours. Order: x y z, three of rotation, gripper."""

    translation_unit_m: float = 1.0
    rotation_unit_rad: float = 1.0
    rotation: Rotation = 'euler_xyz'
    gripper_closed: float = 0.0
    gripper_open: float = 1.0
    step_s: float = 0.2
    reference: Reference = 'measured'

    def as_message(self) -> dict[str, Any]:
        """For the metadata: names of the numbers, and the fields of this record."""
        return {'names': list(ACTION_NAMES), **asdict(self)}

    def decode(self, actions: ArrayLike) -> ActionDeltas:
        """One action (7,) or a chunk (n, 7) -> deltas.

        Raises:
            ModelError: another shape, too many, or not all finite numbers.
        """
        try:
            rows = np.atleast_2d(np.asarray(actions, dtype=float))
        except (TypeError, ValueError, OverflowError) as error:
            raise ModelError(f'the answer holds no numbers ({error})') from error
        if rows.ndim != 2 or rows.shape[1] != ACTION_LENGTH or not 0 < len(rows) <= MOST_STEPS:
            raise ModelError(
                f'the action has the shape {np.shape(actions)}, but seven numbers for each of 1 '
                f'to {MOST_STEPS} steps are needed ({", ".join(ACTION_NAMES)}): serve a policy '
                'that moves the gripper, not the joints'
            )
        if not np.isfinite(rows).all():
            raise ModelError('the action holds NaN or infinity: the model behind it is broken')
        return ActionDeltas(tuple(map(self._delta, rows)), self.step_s, self.reference)

    def _delta(self, row: np.ndarray) -> EndEffectorDelta:
        turn = row[3:6] * self.rotation_unit_rad
        span = self.gripper_open - self.gripper_closed
        return EndEffectorDelta(
            row[:3] * self.translation_unit_m,
            rotation_vector_from_euler(turn) if self.rotation == 'euler_xyz' else turn,
            float(np.clip((row[6] - self.gripper_closed) / span, 0.0, 1.0)),
        )


# For servers that do not say what their actions mean.
# bridge: BridgeData V2 as OpenVLA is trained on it. libero: LIBERO's OSC_POSE controller, 20 Hz.
ACTION_SPACES = {
    'bridge': ActionSpace(reference='commanded'),
    'libero': ActionSpace(0.05, 0.5, 'rotation_vector', 1.0, -1.0, 0.05),
}


def read_action_space(message: Any) -> ActionSpace:
    """The action space a server states; raises ModelError if it is none of ours."""
    fields = message if isinstance(message, Mapping) else {}
    names = fields.get('names')
    if not isinstance(names, list) or names != list(ACTION_NAMES):
        raise ModelError(
            f'the server acts with {str(names)[:80]}, but {list(ACTION_NAMES)} are '
            'needed: serve another model'
        )
    stated = {name: fields[name] for name in asdict(ActionSpace()) if name in fields}
    space = ActionSpace(**stated)
    numbers = [space.translation_unit_m, space.rotation_unit_rad, space.step_s]
    ends = [space.gripper_closed, space.gripper_open]
    if (
        not all(type(n) in (int, float) and abs(n) < LARGEST for n in [*numbers, *ends])
        or min(numbers) <= 0.0
        or ends[0] == ends[1]
        or not isinstance(space.rotation, str)
        or space.rotation not in get_args(Rotation)
        or not isinstance(space.reference, str)
        or space.reference not in get_args(Reference)
    ):
        raise ModelError(f'the server states an impossible action space {str(space)[:300]}')
    return space
