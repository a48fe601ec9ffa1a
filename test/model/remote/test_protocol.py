from __future__ import annotations

import numpy as np
import pytest

from magma_ros.data_types import ArmState
from magma_ros.errors import CameraError, ConfigurationError, InstructionError, ModelError
from magma_ros.model.remote.protocol import (
    GRIPPER,
    POSE,
    PROTOCOL,
    ServerMetadata,
    read_metadata,
    state_fields,
)
from magma_ros.model.remote.refusal import KINDS, Refusal, error_of, refusal_of
from magma_ros.rotations import DOWN, make_pose

METADATA = ServerMetadata('nano', 'ab12', 'magma_nano_sim', 256, True)
STATED = METADATA.as_message()


def test_metadata_survive_the_wire() -> None:
    assert read_metadata(STATED) == METADATA


def test_somebody_elses_metadata_are_none_of_ours() -> None:
    assert read_metadata({}) is None
    assert read_metadata({'reset_pose': [0, 1]}) is None


@pytest.mark.parametrize('version', [7, '1', None, True, [1], np.ones(2)])
def test_another_version_is_named(version) -> None:
    with pytest.raises(ModelError, match='version .* this is 1: install the same release'):
        read_metadata(STATED | {PROTOCOL: version})


@pytest.mark.parametrize(
    'changes',
    [
        {'model': None},
        {'model': 'two\nlines'},
        {'sha256': 'x' * 500},
        {'statistics': 3},
        {'image_size_px': True},
        {'takes_state': 1},
        {'questions': ['sing']},
        {'questions': 'action'},
        {'questions': [np.zeros(2)]},
        {'action_space': {}},
    ],
    ids=str,
)
def test_damaged_metadata_are_refused(changes) -> None:
    with pytest.raises(ModelError, match='damaged|are needed'):
        read_metadata(STATED | changes)


def test_something_else_than_metadata_is_refused() -> None:
    with pytest.raises(ModelError, match='began with list'):
        read_metadata([1])


def test_state_is_the_pose_and_the_opening() -> None:
    state = ArmState(np.zeros(6), np.zeros(6), make_pose(np.array([1.0, 2.0, 3.0]), DOWN), 0.4, 0)

    fields = state_fields(state)

    assert fields[POSE].shape == (7,)
    assert fields[POSE][:3] == pytest.approx([1, 2, 3])
    assert fields[GRIPPER] == 0.4
    assert state_fields(None) == {}


@pytest.mark.parametrize('code', sorted(KINDS))
def test_every_refusal_becomes_its_error(code) -> None:
    error = error_of(Refusal(code, 'too\nbad').as_message(), 'ws://gpu')

    assert type(error) is KINDS[code].error
    assert str(error) == f'ws://gpu refuses ({code}): too bad'


@pytest.mark.parametrize(
    'message', [None, [], {}, {'error': 'unheard of'}, {'error': []}, 'error']
)
def test_what_is_no_refusal(message) -> None:
    assert error_of(message, 'ws://gpu') is None


@pytest.mark.parametrize(
    ('error', 'code'),
    [
        (InstructionError('x'), 'instruction'),
        (CameraError('x'), 'image'),
        (ConfigurationError('x'), 'unsupported'),
        (ModelError('x'), 'model'),
    ],
)
def test_errors_here_are_refusals_there(error, code) -> None:
    assert refusal_of(error).code == code
