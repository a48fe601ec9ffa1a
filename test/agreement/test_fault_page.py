"""docs/safety.md shows the faults that were measured, of the matrix as it is."""

from pathlib import Path

import pytest

pytest.importorskip('rclpy')

from magma_ros.faults.fault_table import read_fault_results  # noqa: E402
from magma_ros.faults.matrix import ROWS  # noqa: E402
from magma_ros.tools.fault_page import PAGE, RESULTS_FILE, with_faults  # noqa: E402

CHECKOUT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(
    not (CHECKOUT / RESULTS_FILE).is_file(),
    reason=f'not measured yet: magma bench faults --results {RESULTS_FILE}',
)


def test_the_table_of_faults_equals_what_was_measured():
    text = (CHECKOUT / PAGE).read_text(encoding='utf-8')

    assert with_faults(text, CHECKOUT) == text, 'run python -m magma_ros.tools.fault_page'


def test_what_was_measured_is_the_matrix():
    kept = read_fault_results(CHECKOUT / RESULTS_FILE)['rows']

    assert [(row['id'], row['fault']) for row in kept] == [(row.id, row.fault) for row in ROWS]
