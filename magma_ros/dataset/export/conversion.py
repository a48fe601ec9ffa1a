"""From bags to a dataset: episodes in parallel, then one whole, or nothing.

Everything is written to ``<out>.partial``. An episode that is done there is not done again, so a
conversion that was killed goes on where it was; the dataset gets its name when it is complete.
The result does not depend on the number of processes, nor on where it was interrupted.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from magma_ros.dataset.checks.report_page import report_page
from magma_ros.dataset.export.conversion_rules import ConversionRules
from magma_ros.dataset.export.dataset_card import dataset_card
from magma_ros.dataset.export.dataset_files import WRITERS, Dataset
from magma_ros.dataset.export.episode_choice import choose_episodes
from magma_ros.dataset.export.episode_conversion import EpisodeJob, convert_episode, name_hash
from magma_ros.dataset.export.executors import ExecutorName, open_executor
from magma_ros.dataset.export.staged_episode import StagedEpisode, load_staged
from magma_ros.dataset.journal import as_recording_error
from magma_ros.dataset.reading.bag_folder import BagFolder, open_folder
from magma_ros.dataset.reading.segments import find_segments
from magma_ros.errors import ConfigurationError, RecordingError

MANIFEST = 'conversion.json'
Progress = Callable[[str, int, int], None]  # name of what is done, how many, of how many


@dataclass(frozen=True)
class Converted:
    """A finished conversion."""

    folder: Path
    report: dict[str, Any]
    is_new: bool  # False: it was there already


def plan_episodes(
    paths: Sequence[Path], rules: ConversionRules
) -> tuple[list[EpisodeJob], list[tuple[str, str]]]:
    """The episodes of the bags in their order, and bags that cannot be opened with the reason.

    Names are those of the bags; equal ones get a number.
    """
    jobs: list[EpisodeJob] = []
    refused: list[tuple[str, str]] = []
    taken: set[str] = set()
    for path in paths:
        try:
            bag = open_folder(path)
            segments = find_segments(
                bag, rules.segments, rules.mapping.topics, rules.despite_damage
            )
        except RecordingError as error:
            refused.append((path.name, str(error)))
            continue
        base = _free_name(bag, taken)
        for segment in segments:
            suffix = f'-{segment.number:03d}' if len(segments) > 1 else ''
            jobs.append(EpisodeJob(bag, segment, rules, base + suffix))
    return jobs, refused


def _free_name(bag: BagFolder, taken: set[str]) -> str:
    base = name = bag.name
    for number in itertools.count(2):
        if name not in taken:
            break
        name = f'{base}.{number}'
    taken.add(name)
    return name


def convert(
    paths: Sequence[Path],
    out: Path,
    rules: ConversionRules,
    workers: int = 1,
    progress: Progress = lambda name, done, of: None,
    executor: ExecutorName = 'local',
) -> Converted:
    """Make the dataset ``out``.

    Args:
        paths: bags, in the order their episodes shall have.
        out: folder that is not there yet, or of the very same conversion.
        rules: what it shall look like.
        workers: processes of this machine.
        progress: called after each episode.
        executor: ``ray``: on the machines of a Ray cluster, all of which see the bags and ``out``
            under the same paths.

    Raises:
        ConfigurationError: the folder is another's, or nothing is left to convert; names why.
        DiskError: the disk is full.
        EnvironmentMissing: Ray is not installed, or does not answer.
        RecordingError: a machine was lost, or does not see the bags or the folder.
    """
    out = out.absolute()  # other machines work in other folders
    jobs, refused = plan_episodes([path.absolute() for path in paths], rules)
    digest = rules.digest(*(job.key() for job in jobs), *(why for _, why in refused))
    partial = out.with_name(f'{out.name}.partial')
    if out.exists():
        made = _existing(out, digest)
        if partial.exists():  # killed after the dataset had got its name
            shutil.rmtree(partial)
        return made
    try:
        staged = _stage(jobs, partial / 'episodes', workers, progress, executor)
        new = partial / 'dataset'
        if new.exists():
            shutil.rmtree(new)
        new.mkdir()
        report = _finish(staged, refused, new, rules, digest)
        new.rename(out)
        shutil.rmtree(partial)
    except OSError as error:
        raise as_recording_error(error, partial) from error
    return Converted(out, report, True)


def _existing(out: Path, digest: str) -> Converted:
    manifest = out / MANIFEST
    if manifest.is_file() and not manifest.is_symlink():
        content = json.loads(manifest.read_text(encoding='utf-8'))
        if content.get('digest') == digest:
            report = json.loads((out / 'report.json').read_text(encoding='utf-8'))
            return Converted(out, report, False)
    raise ConfigurationError(f'{out} is there and holds something else; give another folder')


def _stage(
    jobs: list[EpisodeJob],
    staging: Path,
    workers: int,
    progress: Progress,
    executor: ExecutorName,
) -> list[StagedEpisode]:
    staging.mkdir(parents=True, exist_ok=True)
    wanted = {job.key() for job in jobs}
    for other in staging.iterdir():  # of rules that have changed since
        if other.name not in wanted:
            shutil.rmtree(other)
    folders: dict[int, Path] = {}
    with open_executor(executor, min(workers, len(jobs))) as pool:
        if pool is None:
            for number, job in enumerate(jobs):
                folders[number] = convert_episode(job, staging)
                progress(job.name, len(folders), len(jobs))
        else:
            futures: dict[Future[Path], int] = {
                pool.submit(convert_episode, job, staging): number
                for number, job in enumerate(jobs)
            }
            for future in as_completed(futures):
                folders[futures[future]] = future.result()
                progress(jobs[futures[future]].name, len(folders), len(jobs))
    return [load_staged(folders[number]) for number in range(len(jobs))]


def _finish(
    staged: list[StagedEpisode],
    refused: list[tuple[str, str]],
    folder: Path,
    rules: ConversionRules,
    digest: str,
) -> dict[str, Any]:
    """Write the dataset and its papers; the report."""
    excluded = [{'episode': name, 'reason': why} for name, why in refused]
    kept: list[StagedEpisode] = []
    for episode, reason in choose_episodes(staged, rules):
        if reason:
            excluded.append({'episode': episode.name, 'reason': reason})
        else:
            kept.append(episode)
    if not kept:
        reasons = '; '.join(f'{one["episode"]}: {one["reason"]}' for one in excluded[:5])
        raise ConfigurationError(f'no episode can be used. {reasons or "There is no bag"}')
    held = [name_hash(one.about['bag']) < rules.validation_share for one in kept]
    if all(held):  # a few bags whose names say so: there is nothing to hold out of
        held = [False] * len(kept)
    train = [one for one, is_held in zip(kept, held, strict=True) if not is_held]
    validation = [one for one, is_held in zip(kept, held, strict=True) if is_held]
    dataset = Dataset(rules, tuple(train), tuple(validation))
    WRITERS[rules.format](dataset, folder)
    report = {
        'dataset': rules.name,
        'format': rules.format,
        'episodes': [_without_colours(one.about) for one in staged],
        'excluded': excluded,
        'train': [one.name for one in train],
        'validation': [one.name for one in validation],
        'steps': sum(one.length for one in kept),
        'duration_s': round(sum(one.about['duration_s'] for one in kept), 3),
    }
    _write_json(folder / 'report.json', report)
    (folder / 'report.html').write_text(report_page(report), encoding='utf-8')
    (folder / 'README.md').write_text(dataset_card(dataset, report), encoding='utf-8')
    _write_json(folder / MANIFEST, {'digest': digest, 'name': rules.name, 'format': rules.format})
    return report


def _without_colours(about: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in about.items() if key not in ('colours', 'content')}


def _write_json(path: Path, value: Any) -> None:
    with path.open('w', encoding='utf-8') as stream:
        json.dump(value, stream, indent=1, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
