import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip('rclpy')

from trajectory_msgs.msg import JointTrajectory  # noqa: E402

from magma_ros.data_types import DeltaChunk, EndEffectorDelta, MotionLimits  # noqa: E402
from magma_ros.errors import ConfigurationError  # noqa: E402
from magma_ros.model.action_model import ModelIdentity  # noqa: E402
from magma_ros.motion.chunk_check import ChunkRules, find_refusal  # noqa: E402
from magma_ros.motion.reason_codes import Reason  # noqa: E402
from magma_ros.ros.chunk_messages import (  # noqa: E402
    ActionInfo,
    ChunkPairing,
    chunk_from_message,
    chunk_to_message,
    info_from_message,
    info_to_message,
)

pytestmark = pytest.mark.ros
STAMP_NS = 1_700_000_000_123_456_789
INFO = ActionInfo(STAMP_NS, 7, 'policy', 'measured', ModelIdentity('nano', 'ab'), 1, 2)
FRAME = 'wx250s/base_link'


def make_chunk(count=2, step_s=0.2):
    delta = EndEffectorDelta(np.array([0.01, 0.0, -0.02]), np.array([0.0, 0.1, 0.0]), 0.5)
    return DeltaChunk((delta,) * count, step_s, STAMP_NS, 'measured', FRAME, 7, 'policy')


def refusal(chunk):
    return find_refusal(chunk, None, ChunkRules(frame_id=FRAME), MotionLimits(), STAMP_NS)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 20), st.floats(0.01, 3.0))
def test_round_trip(count, step_s):
    chunk = make_chunk(count, step_s)

    copy = chunk_from_message(chunk_to_message(chunk), info_from_message(info_to_message(INFO)))

    assert len(copy.deltas) == count
    for delta, original in zip(copy.deltas, chunk.deltas, strict=True):
        np.testing.assert_array_equal(delta.translation_m, original.translation_m)
        np.testing.assert_array_equal(delta.rotation_vector_rad, original.rotation_vector_rad)
        assert delta.gripper_opening == original.gripper_opening
    assert copy.step_s == pytest.approx(step_s, abs=1e-8)
    same = ('image_stamp_ns', 'reference', 'frame_id', 'sequence', 'source')
    assert [getattr(copy, name) for name in same] == [getattr(chunk, name) for name in same]
    assert refusal(copy) is None


def test_info_round_trip():
    assert info_from_message(info_to_message(INFO)) == INFO


@pytest.mark.parametrize('count', [0, 1, 3, 6, 8, 14])
def test_wrong_number_of_values_is_refused_by_the_core(count):
    message = chunk_to_message(make_chunk())
    message.points[0].positions = [0.0] * count

    assert refusal(chunk_from_message(message, INFO)) is Reason.ACTION_DIMS


def test_other_garbage_is_refused_by_the_core():
    names = chunk_to_message(make_chunk())
    names.joint_names = ['y_m', 'x_m', 'z_m', 'rx_rad', 'ry_rad', 'rz_rad', 'gripper']
    infinite = chunk_to_message(make_chunk())
    infinite.points[1].positions[4] = math.inf
    uneven = chunk_to_message(make_chunk())
    uneven.points[1].time_from_start.nanosec += 5_000_000

    assert refusal(chunk_from_message(names, INFO)) is Reason.ACTION_DIMS
    assert refusal(chunk_from_message(infinite, INFO)) is Reason.ACTION_NONFINITE
    assert refusal(chunk_from_message(uneven, INFO)) is Reason.STEP_TIME
    assert refusal(chunk_from_message(JointTrajectory(), INFO)) is Reason.ACTION_DIMS


def test_unreadable_info_is_named():
    message = info_to_message(INFO)
    message.values = [pair for pair in message.values if pair.key != 'sequence']

    with pytest.raises(ConfigurationError, match='sequence'):
        info_from_message(message)


def test_halves_pair_in_any_order_and_only_with_their_own():
    chunk = chunk_to_message(make_chunk())
    other = chunk_to_message(make_chunk())
    other.header.stamp.nanosec += 1

    for first, second in (('message', 'info'), ('info', 'message')):
        pairing, given = ChunkPairing(), {'message': chunk, 'info': INFO}
        assert getattr(pairing, f'offer_{first}')(given[first]) is None
        paired = getattr(pairing, f'offer_{second}')(given[second])
        assert paired is not None
        assert paired.sequence == 7
    pairing = ChunkPairing()
    pairing.offer_info(INFO)
    assert pairing.offer_message(other) is None
