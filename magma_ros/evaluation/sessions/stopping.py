"""When a session may end before its last trial without fooling anybody."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.sessions.table_fields import number, one_of, read_table
from magma_ros.evaluation.sessions.trial_record import TrialRecord
from magma_ros.evaluation.statistics.sequential import paired_evidence, stopping_times

Test = Literal['paired', 'none']
TESTS: tuple[Test, ...] = ('paired', 'none')


@dataclass(frozen=True)
class StoppingRule:
    """End once this test of paired successes rejects equality of two named conditions."""

    first: str
    second: str
    test: Test = one_of(TESTS, 'paired')
    alpha: float = number(0.001, 0.2, 0.05)


def read_stopping(values: Any, conditions: Collection[str], where: str) -> StoppingRule | None:
    """A rule from its table; None where there is none: all trials are run.

    Raises:
        ConfigurationError: an unknown test, or conditions that the session does not have.
    """
    if values is None or values == 'none':
        return None
    rule = read_table(StoppingRule, values, where)
    if rule.first == rule.second or not {rule.first, rule.second} <= set(conditions):
        raise ConfigurationError(
            f'{where}: {rule.first} is to be compared with {rule.second}; name two of '
            f'{", ".join(conditions)}'
        )
    return None if rule.test == 'none' else rule


def has_decided(
    rule: StoppingRule, codes: tuple[str, str], records: Iterable[TrialRecord]
) -> bool:
    """Whether the trials so far are enough; valid however often one looks.

    Args:
        rule: of the session.
        codes: of the two conditions.
        records: valid ones, in order.
    """
    pairs: dict[tuple[int, str, str], dict[str, bool]] = {}
    for record in records:
        key = (record.block, record.task, record.layout)
        pairs.setdefault(key, {})[record.code] = record.success
    complete = [one for one in pairs.values() if set(codes) <= set(one)]
    first, second = ([one[code] for one in complete] for code in codes)
    return bool(stopping_times(paired_evidence(first, second), rule.alpha))
