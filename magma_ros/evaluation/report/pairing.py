"""Which trials are compared with which: those of the same initial condition."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from magma_ros.evaluation.report.reported_session import ReportedSession
from magma_ros.evaluation.sessions.trial_record import TrialRecord

Pair = tuple[TrialRecord, TrialRecord]


@dataclass(frozen=True)
class Pairing:
    """Trials of two conditions."""

    pairs: tuple[Pair, ...]  # first and second condition, in the order in which they were complete
    single: tuple[TrialRecord, ...]  # without a partner

    def outcomes(self, task: str | None = None) -> list[tuple[bool, bool]]:
        """(first succeeded, second succeeded), of one task or of all."""
        return [
            (one.success, other.success) for one, other in self.pairs if task in (None, one.task)
        ]


def pair_trials(session: ReportedSession, first: str, second: str) -> Pairing:
    """Pair the trials of two conditions by task, layout and block."""
    places: dict[tuple[str, str, int], dict[str, list[TrialRecord]]] = defaultdict(
        lambda: {first: [], second: []}
    )
    turn = {id(record): at for at, record in enumerate(session.counted)}
    for record in session.counted:
        name = session.name_of(record)
        if name in (first, second):
            places[record.task, record.layout, record.block][name].append(record)
    pairs: list[Pair] = []
    single: list[TrialRecord] = []
    for place in places.values():
        pairs += zip(place[first], place[second], strict=False)
        both = min(len(place[first]), len(place[second]))
        single += place[first][both:] + place[second][both:]
    pairs.sort(key=lambda pair: max(turn[id(record)] for record in pair))
    return Pairing(tuple(pairs), tuple(single))
