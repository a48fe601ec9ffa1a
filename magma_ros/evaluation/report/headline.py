"""The answer of a comparison in a sentence or two, no stronger than the trials are."""

from __future__ import annotations

from dataclasses import dataclass

from magma_ros.evaluation.report.comparison import MOST_FURTHER, Comparison


@dataclass(frozen=True)
class Headline:
    """One answer."""

    is_decided: bool
    answer: str
    reason: str


def write_headline(comparison: Comparison) -> Headline:
    """Which is better, or that this cannot be told; how much; and what would settle it."""
    one = comparison.overall
    (better, worse), (more, less) = (comparison.first, comparison.second), (one.first, one.second)
    sign = 1
    if one.difference < 0:
        (better, worse), (more, less) = (worse, better), (less, more)
        sign = -1
    low, high = sorted(sign * end for end in one.interval)
    numbers = (
        f'{better} {_count(more)} against {worse} {_count(less)}: {points(sign * one.difference)} '
        f'points, 95 % interval {points(low)} to {points(high)}.'
    )
    if comparison.is_decided:
        return Headline(
            True, f'{better} is better than {worse}.', f'{numbers} {_test(comparison)}'
        )
    if one.difference == 0.0:
        answer = f'{better} and {worse} did equally well; that does not say they are equal.'
    else:
        answer = f'These trials cannot tell {better} from {worse}.'
    return Headline(False, answer, f'{numbers} {_test(comparison)} {_outlook(comparison)}')


def points(rate: float) -> str:
    """A difference of rates in percentage points, signed."""
    rounded = round(100 * rate)
    return f'{rounded:+d}'.replace('-', '\u2212') if rounded else '0'


def p_value(p: float) -> str:
    """As it is usually written."""
    return 'p < 0.001' if p < 0.001 else f'p = {p:.3f}'


def _count(successes: tuple[int, int]) -> str:
    return f'{successes[0]}/{successes[1]}'


def _unit(comparison: Comparison) -> str:
    return 'pairs' if comparison.is_paired else 'trials of each'


def _test(comparison: Comparison) -> str:
    p = p_value(comparison.adjusted_p)
    if comparison.is_fixed:
        return f'Number of trials fixed beforehand, {comparison.fixed_test} test, {p}.'
    if comparison.decided_after:
        count = f'{comparison.decided_after} {_unit(comparison)}'
        return f'Sequential test, enough evidence after {count}, {p}.'
    return f'Sequential test, {p}.'


def _outlook(comparison: Comparison) -> str:
    """What would settle it. Trials may be added only where the sequential test decides."""
    if comparison.decided_after and not comparison.is_fixed:
        return (
            'By itself this would be enough; it counts only once the comparison the session is '
            'about is decided.'
        )
    if comparison.overall.difference == 0.0 or comparison.further is None:
        return (
            f'If both go on as they did, more than {MOST_FURTHER} more {_unit(comparison)} are '
            'needed: decide which difference matters to you, and plan for it with magma session '
            'power.'
        )
    session = 'new sessions that may stop at any trial' if comparison.is_fixed else 'sessions'
    count = comparison.further
    if comparison.is_fixed:
        count += comparison.overall.pairs.pairs if comparison.overall.pairs else 0
    return (
        f'If both go on as they did, half of all {session} decide it within about {count} '
        f'{"" if comparison.is_fixed else "more "}{_unit(comparison)}.'
    )
