"""The episodes of a demo: which ones, and running them through the nodes, watched."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from magma_ros.errors import ConfigurationError, MagmaError
from magma_ros.evaluation.episode_watch import EpisodeWatch, Frame
from magma_ros.evaluation.node_session import EpisodeRecord, NodeSession
from magma_ros.nodes.node_processes import NodeProcesses
from magma_ros.sim.instructions import understand
from magma_ros.sim.tasks import TASK_KINDS, TaskKind

BAG = 'episode'  # folder of the bag of the first episode
LOGS = 'logs'
LARGEST_SEED = 2**31 - 1  # of the parameter of the sim node


@dataclass(frozen=True)
class PlannedEpisode:
    """A table, and what is said; without a sentence the scenario has its own."""

    task: TaskKind
    seed: int
    sentence: str = ''


@dataclass(frozen=True)
class FilmedEpisode:
    """How an episode went, and how it looked."""

    record: EpisodeRecord
    frames: tuple[Frame, ...] = field(repr=False)


@dataclass(frozen=True)
class DemoSetting:
    """What the nodes run with, and where the recordings go."""

    directory: Path
    domain_id: int | None
    perception: Mapping[str, Any]  # parameters over those of config/perception.yaml
    time_limit_s: float | None = None  # of an episode; None: the task's own


def plan_episodes(
    tasks: Sequence[TaskKind], count: int, first_seed: int
) -> tuple[PlannedEpisode, ...]:
    """``count`` episodes in the order of ``tasks``, as evenly as can be; seeds count up.

    Raises:
        ConfigurationError: no episodes, an unknown task, or an impossible seed.
    """
    if not 0 <= first_seed < LARGEST_SEED - count:
        raise ConfigurationError(f'seed {first_seed}: give a number from 0 to {LARGEST_SEED}')
    unknown = [task for task in tasks if task not in TASK_KINDS]
    if count < 1 or unknown or not tasks:
        raise ConfigurationError(
            f'{count} episodes of {", ".join(tasks) or "no task"}: at least one episode is '
            f'needed, and tasks are {", ".join(TASK_KINDS)}'
        )
    return tuple(
        PlannedEpisode(tasks[index * len(tasks) // count], first_seed + index)
        for index in range(count)
    )


def plan_sentence(sentence: str, count: int, first_seed: int) -> tuple[PlannedEpisode, ...]:
    """``count`` episodes of what somebody asks for.

    Raises:
        ConfigurationError: no episodes.
        InstructionError: the sentence is empty, contradicts itself, or names what is not there.
    """
    task = understand(sentence)
    return tuple(
        PlannedEpisode(one.task, one.seed, sentence)
        for one in plan_episodes((task.kind,), count, first_seed)
    )


def run_episodes(
    plan: Sequence[PlannedEpisode],
    setting: DemoSetting,
    on_episode: Callable[[EpisodeRecord], None],
    on_frame: Callable[[bytes], None] = lambda jpeg: None,
) -> list[FilmedEpisode]:
    """Start the nodes, run the episodes, stop the nodes; the first one is recorded as a bag.

    Whatever ends it early, Ctrl-C included: the arm is braked first, then the bag is closed, then
    the nodes are stopped.

    Args:
        plan: what to do.
        setting: with what.
        on_episode: called after each episode.
        on_frame: called with each overlay JPEG, from another thread.

    Raises:
        ConfigurationError: the ROS domain is taken.
        EnvironmentMissing: a node does not start, has ended, or does not answer.
    """
    films = []
    with (
        NodeProcesses(
            parameters={'perception_node': setting.perception},
            domain_id=setting.domain_id,
            log_directory=setting.directory / LOGS,
        ) as nodes,
        NodeSession(setting.domain_id, nodes.check) as session,
        EpisodeWatch(setting.domain_id, on_frame) as watch,
        _brake_first(session),
    ):
        for index, planned in enumerate(plan):
            watch.begin(setting.directory / BAG if index == 0 else None)
            record = session.run_episode(
                planned.task,
                planned.seed,
                instruction=planned.sentence or None,
                laid_for=planned.sentence,
                time_limit_s=setting.time_limit_s,
            )
            films.append(FilmedEpisode(record, tuple(watch.end())))
            on_episode(record)
    return films


@contextlib.contextmanager
def _brake_first(session: NodeSession) -> Iterator[None]:
    try:
        yield
    except BaseException:
        # Ctrl-C too: no arm may be left moving.
        # Should this fail, the controller brakes when it is stopped, and Servo when it is silent.
        with contextlib.suppress(MagmaError):
            session.rest()
        raise
