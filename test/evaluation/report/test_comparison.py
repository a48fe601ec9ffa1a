from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from session_records import BLANK, DIRECT, PATH, PERSON, paired_session, with_trials

from magma_ros.errors import ConfigurationError, RecordingError
from magma_ros.evaluation.report.comparison import compare_all
from magma_ros.evaluation.report.pairing import pair_trials
from magma_ros.evaluation.report.reported_session import ReportedSession, check_session
from magma_ros.evaluation.statistics.paired import PairCounts

ELSEWHERE = Path('not', 'there')
CLEAR = [(True, False)] * 9 + [(True, True)] * 2 + [(False, False)]
OPEN = [(True, False)] * 4 + [(False, True)] * 2 + [(True, True)] * 6


def test_pairs_are_of_the_same_task_layout_and_block() -> None:
    session = paired_session(ELSEWHERE, ('pick', CLEAR), ('push', OPEN))

    (comparison,) = compare_all(session)

    assert comparison.overall.pairs == PairCounts(8, 13, 2, 1)
    assert [part.pairs for part in comparison.by_task] == [
        PairCounts(2, 9, 0, 1),
        PairCounts(6, 4, 2, 0),
    ]
    assert comparison.overall.difference == pytest.approx(11 / 24)
    assert comparison.single == 0


def test_repetitions_in_other_blocks_are_pairs_of_their_own() -> None:
    session = paired_session(ELSEWHERE, ('pick', OPEN))
    again = [replace(r, trial=r.trial + 100, block=1) for r in session.trials]

    lacking_one = [*again[1:], *session.trials]

    pairing = pair_trials(with_trials(session, lacking_one), PATH, DIRECT)

    assert pairing.single == (again[1],)
    assert all(one.block == other.block for one, other in pairing.pairs)
    assert [one.block for one, _ in pairing.pairs] == [1] * 11 + [0] * 12, 'order of completion'


def test_trials_that_do_not_count_are_no_partners() -> None:
    session = paired_session(ELSEWHERE, ('pick', OPEN))
    first, *rest = session.trials
    torn = with_trials(session, [replace(first, invalid='interrupted'), *rest])

    (comparison,) = compare_all(torn)

    assert comparison.overall.pairs is not None
    assert comparison.overall.pairs.pairs == 11
    assert comparison.overall.first == (9, 11)
    assert comparison.overall.second == (8, 12)
    assert comparison.single == 1


def test_conditions_without_common_layouts_are_compared_unpaired() -> None:
    session = paired_session(ELSEWHERE, ('pick', CLEAR))
    apart = [replace(r, layout=f'{r.layout}_{r.code}') for r in session.trials]

    (comparison,) = compare_all(with_trials(session, apart))

    assert not comparison.is_paired
    assert comparison.fixed_test == 'Barnard'
    assert len(comparison.log_evidence) == 12
    assert comparison.overall.difference == pytest.approx(9 / 12)


def test_a_session_that_may_stop_is_decided_by_its_evidence() -> None:
    clear, still_open = (
        compare_all(paired_session(ELSEWHERE, ('pick', rows)))[0] for rows in (CLEAR, OPEN)
    )

    assert clear.is_decided
    assert clear.decided_after == 7, 'seven pairs that differ, all for the first'
    assert clear.adjusted_p == clear.anytime_p
    assert not still_open.is_decided
    assert still_open.further is not None
    assert still_open.further > 20


def test_a_session_of_fixed_number_is_decided_by_the_test_for_it() -> None:
    rows = [(True, False)] * 8 + [(False, True)] + [(True, True)] * 3

    fixed = compare_all(paired_session(ELSEWHERE, ('pick', rows), is_fixed=True))[0]
    open_end = compare_all(paired_session(ELSEWHERE, ('pick', rows)))[0]

    assert fixed.adjusted_p == pytest.approx(0.0390625)
    assert fixed.is_decided
    assert open_end.anytime_p == pytest.approx(1 / 50.27, rel=1e-3), 'passed before the last pairs'
    # A p of 0.04 for a fixed number is no reason to stop.
    swapped = paired_session(ELSEWHERE, ('pick', [rows[8], *rows[:8], *rows[9:]]))
    assert not compare_all(swapped)[0].is_decided


def test_three_conditions_share_the_error_among_them() -> None:
    rows = [(True, False, True)] * 8 + [(True, True, True)] * 2

    comparisons = compare_all(paired_session(ELSEWHERE, ('pick', rows), is_fixed=True))

    assert [(one.first, one.second) for one in comparisons] == [
        (PATH, DIRECT),
        (PATH, PERSON),
        (DIRECT, PERSON),
    ]
    assert [one.fixed_p for one in comparisons] == pytest.approx([2 / 256, 1.0, 2 / 256])
    assert [one.adjusted_p for one in comparisons] == pytest.approx([6 / 256, 1.0, 6 / 256])
    assert {one.own_alpha for one in comparisons} == {0.05 / 3}


def test_others_wait_for_the_primary_comparison() -> None:
    rows = [(True, False, True)] * 8 + [(True, True, True)] * 2
    session = paired_session(ELSEWHERE, ('pick', rows), is_fixed=True, primary=(PERSON, PATH))

    primary, *others = compare_all(session)

    assert {primary.first, primary.second} == {PATH, PERSON}
    assert primary.own_alpha == 0.05
    assert not primary.is_decided
    assert not any(one.is_decided for one in others)

    decided = replace(session, primary=(PATH, DIRECT))
    assert [one.adjusted_p for one in compare_all(decided)] == pytest.approx(
        [2 / 256, 1.0, 4 / 256]
    )


def test_a_condition_without_trials_is_left_out_of_comparisons() -> None:
    session = paired_session(ELSEWHERE, ('pick', OPEN))
    with_third = replace(session, conditions={**session.conditions, 'C': PERSON})

    assert len(compare_all(with_third)) == 1


@pytest.mark.parametrize(
    ('change', 'error', 'message'),
    [
        ({'trials': (replace(BLANK, code='Z'),)}, RecordingError, r"codes \['Z'\]"),
        ({'trials': (BLANK, BLANK)}, RecordingError, r'trials \[0\] count twice'),
        ({'trials': (replace(BLANK, invalid='torn'),)}, ConfigurationError, 'no trial counts'),
        ({'conditions': {'A': 'x', 'B': 'x'}}, ConfigurationError, 'different names'),
        ({'primary': ('x', 'other')}, ConfigurationError, 'primary'),
    ],
)
def test_sessions_no_report_can_be_made_of(change, error, message: str) -> None:
    session = ReportedSession('title', ELSEWHERE, (BLANK,), {'A': 'x'})

    with pytest.raises(error, match=message):
        check_session(replace(session, **change))
