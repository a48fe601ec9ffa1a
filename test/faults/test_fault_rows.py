"""The matrix is whole, and every faulty input is one that the code knows to refuse."""

import numpy as np
import pytest

pytest.importorskip('rclpy')

from magma_ros.data_types import DeltaChunk, EndEffectorDelta, MotionLimits  # noqa: E402
from magma_ros.errors import ArmError, ConfigurationError  # noqa: E402
from magma_ros.faults.fault_row import BadStart, Trial  # noqa: E402
from magma_ros.faults.faulty_chunks import FAULTY_CHUNKS  # noqa: E402
from magma_ros.faults.joint_state_faults import JOINT_STATE_FAULTS  # noqa: E402
from magma_ros.faults.matrix import ALL_IDS, NOT_COVERED, ROWS, choose_rows  # noqa: E402
from magma_ros.faults.rig_programs import RIG_KINDS  # noqa: E402
from magma_ros.faults.scripted_policy import ScriptedPolicy  # noqa: E402
from magma_ros.motion.chunk_check import ChunkRules, find_refusal  # noqa: E402
from magma_ros.motion.modes import Mode  # noqa: E402
from magma_ros.motion.reason_codes import Reason  # noqa: E402
from magma_ros.robot.arm_profile import load_arm_profile  # noqa: E402
from magma_ros.ros.arm_messages import arm_state_from_message, joint_state_message  # noqa: E402

NOW_NS = 1_000_000_000_000
PREVIOUS = DeltaChunk(
    (EndEffectorDelta(np.zeros(3), np.zeros(3), 1.0),),
    0.2,
    NOW_NS - 200_000_000,
    'measured',
    'wx250s/base_link',
    sequence=6,
)
GOOD = DeltaChunk(
    (EndEffectorDelta(np.zeros(3), np.zeros(3), 1.0),),
    0.2,
    NOW_NS,
    'measured',
    'wx250s/base_link',
    sequence=7,
)
REFUSED_FOR = {
    'nan': 'ACTION_NONFINITE',
    'inf': 'ACTION_NONFINITE',
    '-inf': 'ACTION_NONFINITE',
    '1e308': 'ACTION_RANGE',
    'six values': 'ACTION_DIMS',
    'eight values': 'ACTION_DIMS',
    'no values': 'ACTION_DIMS',
    'million values': 'ACTION_DIMS',
    'ten times': 'ACTION_RANGE',
    'wrong frame': 'FRAME',
    'no frame': 'FRAME',
    'future': 'STAMP_FUTURE',
    'stamp 0': 'STAMP_OLD',
    'stamp back': 'SEQ',
    'repeated': 'SEQ',
}


def test_every_row_is_run_once_or_excused():
    run = [row.id for row in ROWS]

    assert sorted([*run, *NOT_COVERED]) == list(ALL_IDS)
    assert len(run) >= 60
    assert all(fault and why for fault, why in NOT_COVERED.values())


@pytest.mark.parametrize('row', ROWS, ids=lambda row: row.id)
def test_rows_name_things_that_exist(row):
    assert row.trials
    assert row.rig in ('', *RIG_KINDS)
    modes = {mode.value for mode in Mode}
    for trial in row.trials:
        assert isinstance(trial, BadStart if not row.rig else Trial)
        if isinstance(trial, Trial):
            assert set(trial.modes) <= modes
            assert {*trial.reasons, *trial.refused} <= set(Reason.__members__)
            assert trial.begin in ('disarmed', 'ready', 'still', 'moving')
        else:
            assert trial.says, 'a node that refuses must name what is wrong'


def test_rows_are_chosen_by_name():
    assert [row.id for row in choose_rows('f43, F01')] == ['F43', 'F01']
    assert choose_rows('') == ROWS
    with pytest.raises(ConfigurationError, match='rows F79 are not run; those that are: F01'):
        choose_rows('F01,F79')


@pytest.mark.parametrize('kind', FAULTY_CHUNKS)
def test_faulty_chunks_are_what_they_say(kind):
    chunk = FAULTY_CHUNKS[kind](GOOD)

    refusal = find_refusal(chunk, PREVIOUS, ChunkRules(), MotionLimits(), NOW_NS)

    assert (refusal.name if refusal else None) == REFUSED_FOR.get(kind)


@pytest.mark.parametrize('kind', JOINT_STATE_FAULTS)
def test_faulty_joint_states_are_what_they_say(kind):
    profile = load_arm_profile('wx250s')
    names = (*profile.joint_names, profile.gripper_joint)
    positions = np.append(profile.start_joints_rad, profile.finger_open_m)
    message = joint_state_message(names, positions, 0 * positions, 1)
    JOINT_STATE_FAULTS[kind](message)

    if kind in ('missing', 'twice'):
        with pytest.raises(ArmError):
            arm_state_from_message(message, profile, profile.kinematics())
        return
    joints = arm_state_from_message(message, profile, profile.kinematics()).joint_positions_rad
    if kind == 'reversed':
        np.testing.assert_array_equal(joints, profile.start_joints_rad)
    else:
        assert not (np.abs(joints) < 4.0).all()


def test_a_sweep_turns_back_and_returns_to_the_middle():
    policy = ScriptedPolicy(np.array([0.3, 0.0, 0.15]), 'sweep')

    right = policy.next_delta(np.array([0.31, 0.13, 0.15])).translation_m
    left = policy.next_delta(np.array([0.30, -0.13, 0.14])).translation_m

    assert right[1] < 0 < left[1]
    assert right[0] < 0 < left[2]
