"""What a peer may ask, and the refusals of everything else: names, codes and reasons."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serving_kit import arm_state, picture

from magma_ros.model.remote.protocol import GRIPPER, POSE, state_fields
from magma_ros.model.remote.refusal import Refusal
from magma_ros.serving.questions import check_question

KEY = 'bridge_orig'
GOOD = {'observation/image': picture(), 'prompt': 'pick up the red cube'}
STATE = state_fields(arm_state())
ANYTHING = st.one_of(
    st.none(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=3),
    st.just(np.zeros(2)),
    st.just(np.zeros((20, 20, 3), np.uint8)),
)


def test_names_of_openpi_and_of_openvla_mean_the_same() -> None:
    openpi = check_question(GOOD | {'observation/wrist_image': 1, 'observation/state': 2}, KEY)
    openvla = check_question(
        {'image': picture(), 'instruction': 'pick up the red cube', 'unnorm_key': KEY}, KEY
    )

    np.testing.assert_array_equal(openpi.image_rgb, openvla.image_rgb)
    assert openpi.text == openvla.text == 'pick up the red cube'
    assert openpi.question == openvla.question == 'action'
    assert openpi.state is openvla.state is None


def test_the_state_arrives_as_it_was_sent() -> None:
    asked = check_question(GOOD | STATE, KEY)

    assert asked.state is not None
    sent, got = arm_state().pose_gripper_in_base, asked.state.pose_gripper_in_base
    np.testing.assert_array_equal(got.translation_m, sent.translation_m)
    np.testing.assert_array_equal(got.quaternion_xyzw, sent.quaternion_xyzw)
    assert asked.state.gripper_opening == 0.7


@pytest.mark.parametrize(
    ('changes', 'code', 'reason'),
    [
        ({'observation/image': picture(height=15)}, 'image', '64 x 15'),
        ({'observation/image': np.zeros((16, 4097, 3), np.uint8)}, 'image', '4097 x 16'),
        ({'observation/image': picture().astype(float)}, 'image', 'float64'),
        ({'observation/image': picture()[..., 0]}, 'image', r'\(48, 64\)'),
        ({'observation/image': np.zeros((48, 64, 4), np.uint8)}, 'image', '4'),
        ({'observation/image': picture().transpose(2, 0, 1)}, 'image', r'\(3, 48, 64\)'),
        ({'observation/image': None}, 'image', 'None'),
        ({'observation/image': picture().tolist()}, 'image', r'uint8 RGB'),
        ({'prompt': ''}, 'instruction', 'empty'),
        ({'prompt': 'x' * 1_000_000}, 'instruction', '1000000 characters'),
        ({'prompt': 'two\nlines'}, 'instruction', 'control characters'),
        ({'prompt': 7}, 'instruction', 'int, not text'),
        ({'prompt': np.zeros(2)}, 'instruction', 'ndarray, not text'),
        ({'magma_protocol': 2}, 'protocol', 'version 2, this server 1'),
        ({'magma_protocol': np.ones(2)}, 'protocol', 'this server 1'),
        ({'question': 'sing'}, 'unsupported', 'choose one of'),
        ({'question': np.ones(2)}, 'unsupported', 'choose one of'),
        ({'unnorm_key': 'google_robot'}, 'statistics', "send 'bridge_orig'"),
        ({'unnorm_key': np.ones(2)}, 'statistics', "send 'bridge_orig'"),
        (STATE | {POSE: np.zeros(7)}, 'state', 'unit quaternion'),
        (STATE | {POSE: np.full(7, np.nan)}, 'state', 'unit quaternion'),
        (STATE | {POSE: 'home'}, 'state', 'numbers'),
        (STATE | {POSE: [10**400] * 7}, 'state', 'numbers'),
        (STATE | {GRIPPER: [0.1, 0.2]}, 'state', 'one number'),
        (STATE | {GRIPPER: float('inf')}, 'state', 'one number'),
        ({GRIPPER: 0.5}, 'state', 'both'),
    ],
)
def test_refusals_name_what_was_wrong(changes, code, reason) -> None:
    with pytest.raises(Refusal, match=reason) as caught:
        check_question(GOOD | changes, KEY)
    assert caught.value.code == code
    assert len(caught.value.reason) < 400


@pytest.mark.parametrize('missing', GOOD)
def test_picture_and_sentence_are_needed(missing) -> None:
    with pytest.raises(Refusal, match=missing):
        check_question({name: value for name, value in GOOD.items() if name != missing}, KEY)


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*GOOD, *STATE, 'image', 'question', 'magma_protocol', 'unnorm_key']),
        ANYTHING,
    ),
    ANYTHING,
)
def test_anything_is_a_question_or_a_refusal(changes, instead) -> None:
    for message in (GOOD | changes, changes, instead):
        with contextlib.suppress(Refusal):  # nothing else may come out
            assert check_question(message, KEY).image_rgb.dtype == np.uint8
