import json

import pytest

from magma_ros.benchmarks.record import Entry, as_record


@pytest.mark.parametrize(
    ('entry', 'ratio', 'passed'),
    [
        (Entry('a', 3.0, 'ms', goal=4.0), None, True),
        (Entry('a', 5.0, 'ms', goal=4.0), None, False),
        (Entry('a', 3.0, 'ms', goal=0.35, baseline=10.0), 0.3, True),
        (Entry('a', 4.0, 'ms', goal=0.35, baseline=10.0), 0.4, False),
        (Entry('a', 4.0, 'x', goal=3.0, higher_is_better=True), None, True),
        (Entry('a', 2.0, 'x', goal=3.0, higher_is_better=True), None, False),
        (Entry('a', 5.0, 'x', goal=2.0, baseline=2.0, higher_is_better=True), 2.5, True),
    ],
)
def test_goal_is_compared_with_the_ratio_where_there_is_a_baseline(entry, ratio, passed):
    assert entry.ratio == (ratio if ratio is None else pytest.approx(ratio))
    assert entry.is_passed is passed


def test_record_has_the_promised_keys_and_is_json():
    record = json.loads(json.dumps(as_record([Entry('a', 1.0, 'ms', 2.0)])))

    assert set(record) == {'machine', 'entries'}
    assert {'name', 'value', 'unit', 'baseline', 'ratio', 'goal', 'pass'} <= set(
        record['entries'][0]
    )


def test_nothing_in_the_record_names_the_machine():
    import socket

    assert socket.gethostname() not in json.dumps(as_record([]))
