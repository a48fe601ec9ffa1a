"""Rows through real processes. Timings prove nothing here: the bounds are generous."""

import os

import pytest

pytest.importorskip('rclpy')

from magma_ros.faults.fault_row import Row, Trial  # noqa: E402
from magma_ros.faults.matrix import choose_rows  # noqa: E402
from magma_ros.faults.operator_rows import press  # noqa: E402
from magma_ros.faults.rig import Rig  # noqa: E402
from magma_ros.faults.row_runs import run_row  # noqa: E402

pytestmark = pytest.mark.ros
PATIENCE = 5.0


def test_rows_pass_and_a_wrong_expectation_does_not():
    wrong = Row('F00', 'pressed', (Trial(press, ('policy',), ('DEADMAN',), mode_s=0.1),))
    with Rig('policy', PATIENCE, 20 + (os.getpid() + 20) % 80) as rig:
        (killed,) = choose_rows('F46')
        result = run_row(rig, killed)
        lied_about = run_row(rig, wrong)

    assert result.reasons == ('HEARTBEAT_SUPERVISOR',)
    assert result.restarts == 0
    assert result.rest_s is not None
    said = '; '.join(lied_about.complaints)
    assert 'ended in estop, not policy' in said
    assert "says ['ESTOP'], not DEADMAN" in said
    assert not lied_about.is_passed
