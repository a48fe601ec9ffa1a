"""What came of the matrix, as entries and as a page."""

import json
import math
from dataclasses import replace

import pytest

pytest.importorskip('rclpy')

from magma_ros.benchmarks.fault_matrix import entries_of  # noqa: E402
from magma_ros.errors import ConfigurationError  # noqa: E402
from magma_ros.faults.fault_row import RowResult  # noqa: E402
from magma_ros.faults.fault_table import (  # noqa: E402
    described,
    fault_table,
    keep_result,
    read_fault_results,
)
from magma_ros.faults.matrix import NOT_COVERED, ROWS  # noqa: E402
from magma_ros.tools.fault_page import with_faults  # noqa: E402

MACHINE = {'processor': 'a processor', 'cores': 2, 'load_1min': 0.1}
STOPPED = RowResult(ROWS[0], (), 0.04, 0.15, 0.21, modes=('hold',), reasons=('ACTION_STALE',))


def results(first=STOPPED):
    return [first, *(RowResult(row, modes=('policy',)) for row in ROWS[1:])]


def test_entries_have_times_or_violations_and_a_summary():
    entries = {entry.name: entry for entry in entries_of(results())}

    first = entries[f'faults-{ROWS[0].id}']
    assert (first.value, first.unit, first.goal) == (150.0, 'ms', 210.0)
    assert entries[f'faults-{ROWS[1].id}'].unit == 'violations'
    assert all(entry.is_passed for entry in entries.values())
    assert entries['faults-covered'].value == len(ROWS)


@pytest.mark.parametrize(
    ('result', 'failed'),
    [
        (
            RowResult(ROWS[0], ('late',), 0.04, 0.3, 0.21),
            {f'faults-{ROWS[0].id}', 'faults-passed'},
        ),
        (
            RowResult(ROWS[0], ('never',), math.inf, math.inf, 0.21),
            {f'faults-{ROWS[0].id}', 'faults-passed'},
        ),
        (
            RowResult(ROWS[0], ('fast',), violations=1),
            {f'faults-{ROWS[0].id}', 'faults-passed', 'faults-violations'},
        ),
        (
            RowResult(ROWS[0], ('again',), 0.0, 0.1, 0.2, restarts=1),
            {f'faults-{ROWS[0].id}', 'faults-passed', 'faults-restarts'},
        ),
    ],
)
def test_whatever_is_wrong_fails(result, failed):
    entries = entries_of(results(result))

    assert {entry.name for entry in entries if not entry.is_passed} == failed
    json.dumps([entry.value for entry in entries], allow_nan=False)


def test_the_page_has_every_row(tmp_path):
    (tmp_path / 'docs').mkdir()
    file = tmp_path / 'docs' / 'fault_results.json'
    never = RowResult(ROWS[0], ('a|b',), math.inf, math.inf, 0.21, modes=('hold',))
    file.write_text(json.dumps(described(results(never), MACHINE, 1.0)))

    page = with_faults(
        'before\n<!-- faults -->\nwhat was there\n<!-- /faults -->\nafter\n', tmp_path
    )

    assert page.startswith('before\n<!-- faults -->\n')
    assert page.endswith('after\n')
    assert 'what was there' not in page
    for name in [row.id for row in ROWS] + list(NOT_COVERED):
        assert f'| {name} |' in page
    assert f'{len(ROWS) - 1} of {len(ROWS)} rows pass' in page
    assert 'FAILS: a/b' in page
    assert with_faults(page, tmp_path) == page


def test_results_that_lack_a_row_are_refused(tmp_path):
    file = tmp_path / 'results.json'
    file.write_text(json.dumps(described(results()[1:], MACHINE, 1.0)))

    with pytest.raises(ConfigurationError, match=f'lacks {ROWS[0].id}'):
        read_fault_results(file)
    with pytest.raises(ConfigurationError, match='cannot be read'):
        read_fault_results(tmp_path / 'nowhere.json')
    assert fault_table(described(results(), MACHINE, 1.0)).count('| pass |') == len(ROWS)


def test_a_row_that_is_run_again_takes_the_place_of_the_first(tmp_path):
    file = tmp_path / 'results.json'
    for result in (*results(), replace(results()[3], complaints=('late',))):
        keep_result(file, result, MACHINE, 1.0)

    rows = read_fault_results(file)['rows']
    assert [row['id'] for row in rows] == [row.id for row in ROWS]
    assert [row['complaints'] for row in rows].index(['late']) == 3
