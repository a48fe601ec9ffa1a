"""The judge's own kinematics, and its record."""

import io
import json
import math
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.errors import ConfigurationError
from magma_ros.faults.judge import Judge
from magma_ros.faults.tip_kinematics import TipKinematics
from magma_ros.faults.truth import Event, Sample, TruthWriter, read_truth
from magma_ros.robot.arm_profile import load_arm_profile

PROFILE = load_arm_profile('wx250s')
OWN = TipKinematics(PROFILE.urdf_text(), PROFILE.joint_names, PROFILE.base_link, PROFILE.tip_link)
KINEMATICS = PROFILE.kinematics()


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-3.0, 3.0), min_size=6, max_size=6))
def test_it_agrees_with_the_kinematics_it_does_not_use(joints):
    expected = KINEMATICS.forward(np.array(joints)).translation_m

    np.testing.assert_allclose(OWN.tip(np.array(joints)), expected, atol=1e-9)


def test_a_chain_that_is_not_there_is_named():
    with pytest.raises(ConfigurationError, match='no chain from nowhere to'):
        TipKinematics(PROFILE.urdf_text(), PROFILE.joint_names, 'nowhere', PROFILE.tip_link)


def test_the_record_comes_out_as_it_went_in():
    reading, writing = os.pipe()
    writer = TruthWriter(writing)
    writer.sample(Sample(1.5, np.zeros(6), np.array([0.0, math.nan, 0.0, 0.0, 0.0, 1.0])))
    writer.event(Event(1.6, 'gripper'))
    os.close(writing)

    with os.fdopen(reading) as lines:
        sample, event = read_truth(lines)

    assert isinstance(sample, Sample)
    assert sample.at_s == 1.5
    assert math.isnan(sample.true_rad[1])
    assert event == Event(1.6, 'gripper')


def test_a_record_with_nan_is_no_acquittal():
    good, bad = [*PROFILE.start_joints_rad], [math.nan] * 6
    lines = [json.dumps([at / 100, *good, *(bad if at > 150 else good)]) for at in range(200)]
    lines += [json.dumps({'at_s': 1.0, 'event': 'gripper'})]
    court = Judge(PROFILE)
    court.read(io.StringIO('\n'.join(lines)))

    verdict = court.verdict(0.0, 1.0, {'rest_s': 0.2})

    assert verdict['complaints']
    assert 'not finite' in verdict['violations']
    assert court.count('gripper', 0.5) == {'count': 1}
    assert court.count('gripper', 1.5) == {'count': 0}
