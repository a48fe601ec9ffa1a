"""``features.json``: how tensorflow-datasets finds the parts of an episode in its record.

Source: tensorflow_datasets 4.9 ``core/features``, ``to_json`` of each kind of feature. Names are
those of Bridge and of kpertsch/rlds_dataset_builder, which OpenVLA reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Feature = dict[str, Any]

KINDS = 'tensorflow_datasets.core.features'
STATE = 'x, y, z m in the base, roll, pitch, yaw rad away from straight down, gripper'
ACTION = 'displacement until the next step: x, y, z m along base axes, a turn (3) rad, gripper'


def episode_features(
    side_px: int, cameras: tuple[str, ...], joints: int, turn: str, open_value: int
) -> Feature:
    """Of one episode.

    Args:
        side_px: of the pictures; 0: they have the size they were recorded with.
        cameras: names of the picture features.
        joints: how many the arm has.
        turn: what the turn of an action is.
        open_value: of the gripper.
    """
    gripper = f'{open_value} is open'
    observation = {
        **{camera: _image(side_px) for camera in cameras},
        'joint_state': _tensor('float32', joints, 'positions of the joints, rad'),
        'stamp_ns': _scalar('int64', 'when the picture of the first camera was taken'),
        'state': _tensor('float32', 7, f'{STATE}; {gripper}'),
    }
    step = {
        'action': _tensor('float32', 7, f'{ACTION}; {turn}; {gripper}'),
        'discount': _scalar('float32', 'always 1'),
        'is_first': _scalar('bool', ''),
        'is_last': _scalar('bool', ''),
        'is_terminal': _scalar('bool', 'as is_last'),
        'language_instruction': _text('what was asked for'),
        'observation': _dictionary(observation),
        'reward': _scalar('float32', '1 at the last step, but for what was called a failure'),
    }
    steps = {
        'pythonClassName': f'{KINDS}.dataset_feature.Dataset',
        'sequence': {'feature': _dictionary(step), 'length': '-1'},
    }
    about = {'file_path': _text('name of the bag, and number of the part')}
    return _dictionary({'episode_metadata': _dictionary(about), 'steps': steps})


def _dictionary(features: Mapping[str, Feature]) -> Feature:
    return {
        'pythonClassName': f'{KINDS}.features_dict.FeaturesDict',
        'featuresDict': {'features': dict(features)},
    }


def _tensor(dtype: str, length: int, about: str) -> Feature:
    shape = {'dimensions': [str(length)]}
    return {
        'pythonClassName': f'{KINDS}.tensor_feature.Tensor',
        'tensor': {'shape': shape, 'dtype': dtype, 'encoding': 'none'},
        'description': about,
    }


def _scalar(dtype: str, about: str) -> Feature:
    return {
        'pythonClassName': f'{KINDS}.scalar.Scalar',
        'tensor': {'shape': {}, 'dtype': dtype, 'encoding': 'none'},
        'description': about,
    }


def _text(about: str) -> Feature:
    return {
        'pythonClassName': f'{KINDS}.text_feature.Text',
        'text': {},
        'description': about,
    }


def _image(side_px: int) -> Feature:
    side = str(side_px or -1)
    return {
        'pythonClassName': f'{KINDS}.image_feature.Image',
        'image': {
            'shape': {'dimensions': [side, side, '3']},
            'dtype': 'uint8',
            'encodingFormat': 'jpeg',
        },
    }
