"""Runs the trials of a condition through the real nodes, in real time."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.node_session import EpisodeRecord, NodeSession
from magma_ros.evaluation.trials import Condition, Trial
from magma_ros.image.image_preparation import prepare_image
from magma_ros.model.action_model import ModelIdentity
from magma_ros.model.backends.acting_model import ModelChoice, load_acting_model
from magma_ros.nodes.node_processes import NodeProcesses
from magma_ros.resources import asset_path

DOMAINS = range(40, 100)  # one is drawn, so that two evaluations do not meet


class NodeRunner:
    """Starts the nodes for a condition and lets each trial be one episode.

    Args:
        choice: of the model; None: the shipped one.
        domain_id: ROS domain; None: drawn at random.
    """

    def __init__(self, choice: ModelChoice | None = None, domain_id: int | None = None) -> None:
        self._choice = choice or ModelChoice()
        self._domain_id = secrets.choice(DOMAINS) if domain_id is None else domain_id
        acting = load_acting_model(self._choice, prepare_image)
        self.identity: ModelIdentity = acting.model.identity
        acting.close()
        self.records: list[EpisodeRecord] = []

    def run(self, condition: Condition) -> Iterator[Trial]:
        """One trial after the other.

        Raises:
            ConfigurationError: the condition asks for what only the core can do.
        """
        if condition.ablation == 'blank' or condition.actor != 'model':
            raise ConfigurationError(
                'blank pictures and other actors than the model run with --through core only'
            )
        with (
            NodeProcesses(
                parameters={'perception_node': self._perception(condition)},
                domain_id=self._domain_id,
            ) as nodes,
            NodeSession(self._domain_id, nodes.check) as session,
        ):
            for index in range(condition.episodes):
                yield self._run_trial(session, condition, index)

    def close(self) -> None:
        """The nodes have ended with :meth:`run`."""

    def _perception(self, condition: Condition) -> dict[str, Any]:
        model, settings = self._choice.model or str(asset_path('nano')), self._choice.settings
        is_folder = Path(model).is_dir()
        return {
            'mode': condition.mode,
            'model': str(Path(model).absolute()) if is_folder else model,
            'statistics': self._choice.statistics or '',
            'precision': settings.precision,
            'device': settings.device,
            'threads': settings.threads,
        }

    def _run_trial(self, session: NodeSession, condition: Condition, index: int) -> Trial:
        scenario = condition.scenario(index)
        record = session.run_episode(
            condition.task,
            scenario.seed,
            condition.is_held_out(index),
            condition.variation,
            instruction=scenario.instruction,
        )
        self.records.append(record)
        return Trial(
            record.seed,
            record.instruction,
            record.success,
            record.duration_s,
            record.latencies_s,
            record.reasons,
        )
