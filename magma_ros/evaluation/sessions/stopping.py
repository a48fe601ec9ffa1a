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
class Comparison:
    """The two conditions a session is about; it may end once they are known to differ."""

    first: str
    second: str
    stopping: Test = one_of(TESTS, 'none')  # none: all trials are run
    alpha: float = number(0.001, 0.2, 0.05)


def read_comparison(values: Any, conditions: Collection[str], where: str) -> Comparison | None:
    """From its table; None where the file has none: all are compared, all trials are run.

    Raises:
        ConfigurationError: an unknown test, or conditions that the session does not have.
    """
    if values is None:
        return None
    wanted = read_table(Comparison, values, where)
    names = {wanted.first, wanted.second}
    if len(names) < 2 or not names <= set(conditions):
        raise ConfigurationError(
            f'{where}: {wanted.first} is to be compared with {wanted.second}; name two of '
            f'{", ".join(conditions)}'
        )
    return wanted


def has_decided(
    wanted: Comparison, codes: tuple[str, str], records: Iterable[TrialRecord]
) -> bool:
    """Whether the trials so far are enough; valid however often one looks; never without a rule.

    Args:
        wanted: of the session.
        codes: of the two conditions.
        records: valid ones, in order.
    """
    if wanted.stopping == 'none':
        return False
    pairs: dict[tuple[int, str, str], dict[str, bool]] = {}
    for record in records:
        key = (record.block, record.task, record.layout)
        pairs.setdefault(key, {})[record.code] = record.success
    complete = [one for one in pairs.values() if set(codes) <= set(one)]
    first, second = ([one[code] for one in complete] for code in codes)
    return bool(stopping_times(paired_evidence(first, second), wanted.alpha))
