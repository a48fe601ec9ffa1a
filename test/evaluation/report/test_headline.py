from __future__ import annotations

from pathlib import Path

from session_records import DIRECT, PATH, paired_session

from magma_ros.evaluation.report.comparison import compare_all
from magma_ros.evaluation.report.headline import Headline, points, write_headline

ELSEWHERE = Path('not', 'there')


def headline(rows: list[tuple[bool, bool]], **facts: object) -> Headline:
    return write_headline(compare_all(paired_session(ELSEWHERE, ('pick', rows), **facts))[0])


def test_a_decided_comparison_names_the_better_one_and_by_how_much() -> None:
    one = headline([(False, True)] * 9 + [(True, True)] * 3)

    assert one.is_decided
    assert one.answer == f'{DIRECT} is better than {PATH}.'
    assert f'{DIRECT} 12/12 against {PATH} 3/12: +75 points, 95 % interval +' in one.reason
    assert 'enough evidence after 7 pairs' in one.reason


def test_an_open_comparison_says_so_and_what_would_settle_it() -> None:
    one = headline([(True, False)] * 4 + [(False, True)] + [(True, True)] * 7)

    assert not one.is_decided
    assert one.answer == f'These trials cannot tell {PATH} from {DIRECT}.'
    assert 'half of all sessions decide it within about' in one.reason
    assert 'better' not in one.answer


def test_no_difference_is_not_called_equality() -> None:
    one = headline([(True, False), (False, True)] * 4)

    assert 'does not say they are equal' in one.answer
    assert 'more than 1000 more pairs' in one.reason
    assert 'magma session power' in one.reason


def test_a_fixed_number_that_was_not_enough_asks_for_new_sessions() -> None:
    one = headline([(True, False)] * 4 + [(True, True)] * 8, is_fixed=True)

    assert not one.is_decided
    assert 'exact McNemar test, p = 0.125' in one.reason
    assert 'half of all new sessions that may stop at any trial' in one.reason


def test_points_are_signed() -> None:
    assert [points(rate) for rate in (0.381, -0.07, 0.001, -0.001)] == ['+38', '\u22127', '0', '0']
