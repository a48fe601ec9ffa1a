"""Runs the trials of a condition through the real nodes, in real time."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.node_session import EpisodeRecord, NodeSession
from magma_ros.evaluation.trials import Condition, Trial
from magma_ros.image.image_preparation import prepare_image
from magma_ros.model.action_model import ModelIdentity
from magma_ros.model.backends.onnx_model import load_onnx_model
from magma_ros.nodes.node_processes import NodeProcesses
from magma_ros.resources import asset_path
from magma_ros.sim.scene import Variation

DOMAINS = range(40, 100)  # one is drawn, so that two evaluations do not meet


class NodeRunner:
    """Starts the nodes for a condition and lets each trial be one episode.

    Args:
        checkpoint: folder of the model; None: the shipped one.
        domain_id: ROS domain; None: drawn at random.
    """

    def __init__(self, checkpoint: Path | None = None, domain_id: int | None = None) -> None:
        self._checkpoint = (checkpoint or asset_path('nano')).absolute()
        self._domain_id = secrets.choice(DOMAINS) if domain_id is None else domain_id
        self.identity: ModelIdentity = load_onnx_model(self._checkpoint, prepare_image).identity
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
        parameters = {'perception_node': {'mode': condition.mode, 'model': str(self._checkpoint)}}
        with (
            NodeProcesses(parameters=parameters, domain_id=self._domain_id) as nodes,
            NodeSession(self._domain_id, nodes.check) as session,
        ):
            for index in range(condition.episodes):
                yield self._run_trial(session, condition, index)

    def close(self) -> None:
        """The nodes have ended with :meth:`run`."""

    def _run_trial(self, session: NodeSession, condition: Condition, index: int) -> Trial:
        scenario = condition.scenario(index)
        record = session.run_episode(
            condition.task,
            scenario.seed,
            condition.is_held_out(index),
            Variation(brightness=condition.brightness, distractors=condition.distractors),
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
