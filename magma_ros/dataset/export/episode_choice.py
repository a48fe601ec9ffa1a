"""Which episodes become part of a dataset: what only shows where they are seen together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict

from magma_ros.dataset.checks.finding import Finding, grade
from magma_ros.dataset.checks.view_check import compare_views
from magma_ros.dataset.export.conversion_rules import ConversionRules
from magma_ros.dataset.export.staged_episode import StagedEpisode


def choose_episodes(
    episodes: Iterable[StagedEpisode], rules: ConversionRules
) -> Iterator[tuple[StagedEpisode, str]]:
    """Each episode with the reason why it is left out; empty: it is not.

    Adds what it finds to ``about`` of the episode.
    """
    seen: dict[str, str] = {}
    first: StagedEpisode | None = None
    for episode in episodes:
        about = episode.about
        reason = str(about['excluded'])
        if not reason:
            twin = seen.setdefault(about['content'], episode.name)
            if twin != episode.name:
                reason = f'the same as {twin}'
        if not reason:
            first = first or episode
            reason = _view_reason(episode, first, rules)
        yield episode, reason


def _view_reason(episode: StagedEpisode, first: StagedEpisode, rules: ConversionRules) -> str:
    """Compare with the first episode that is kept."""
    if episode is first:
        return ''
    since = f'the episode {first.name}'
    moved = list(compare_views(first.first_picture(), episode.first_picture(), since))
    if not moved:
        return ''
    about = episode.about
    about['findings'] = [*about['findings'], *map(asdict, moved)]
    findings = [Finding(**one) for one in about['findings']]
    about['grade'] = grade(findings)
    if about['grade'] > rules.worst_grade:
        return f'grade {about["grade"]}: {moved[0].text}'
    return ''
