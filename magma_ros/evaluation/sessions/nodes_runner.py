"""Trials through real processes in real time, on the simulated table, with nobody there."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable
from dataclasses import replace

from magma_ros.evaluation.node_runs import DOMAINS
from magma_ros.evaluation.sessions.conditions import SimulatedOperator
from magma_ros.evaluation.sessions.core_runner import scenario_of
from magma_ros.evaluation.sessions.layouts import SceneLayouts
from magma_ros.evaluation.sessions.node_stage import (
    BAGS,
    NodeStage,
    serving_path,
    write_serving,
)
from magma_ros.evaluation.sessions.sealing import Key
from magma_ros.evaluation.sessions.session_file import Session
from magma_ros.evaluation.sessions.session_folder import SessionFolder
from magma_ros.evaluation.sessions.simulated_driver import SimulatedDriver
from magma_ros.evaluation.sessions.trial_record import TrialRecord
from magma_ros.evaluation.sessions.trial_runner import Attempt
from magma_ros.nodes.bringup import recorder_programs, teleop_programs
from magma_ros.nodes.node_processes import NodeProcesses
from magma_ros.nodes.node_program import DEMO_PROGRAMS
from magma_ros.ros.teleop_stick import TeleopStick
from magma_ros.sim.scene import Variation

LOGS = 'logs'


class NodesTrialRunner:
    """Starts the nodes once; see ``trial_runner.TrialRunner``.

    Args:
        folder: of the session.
        session: its file.
        key: what the codes mean.
        domain_id: ROS domain; None: drawn at random.

    Raises:
        ConfigurationError: the ROS domain is taken.
        EnvironmentMissing: a node does not start.
    """

    def __init__(
        self, folder: SessionFolder, session: Session, key: Key, domain_id: int | None = None
    ) -> None:
        domain_id = secrets.choice(DOMAINS) if domain_id is None else domain_id
        self._session = session
        write_serving(folder, session, key)
        path = folder.path.absolute()
        sealed_file = str(serving_path(path, folder.plan.order[0].code))
        programs = (*DEMO_PROGRAMS, *teleop_programs(session.arm, 'twist'))
        if session.record.bag:
            programs += recorder_programs(session.arm, str(path / BAGS), 'jpeg', sim=True)
        given = {
            program.name: dict(program.parameters) for program in programs if program.parameters
        }
        given['perception_node'] = {'sealed_file': sealed_file}
        with contextlib.ExitStack() as opened:
            nodes = opened.enter_context(NodeProcesses(programs, given, domain_id, path / LOGS))
            stick = opened.enter_context(TeleopStick(domain_id))
            self._driver = SimulatedDriver(stick.hold)
            self._stage: NodeStage | None = None
            self._check: Callable[[], None] = nodes.check
            self._stage = opened.enter_context(
                NodeStage(folder, session, key, domain_id, self._while_waiting)
            )
            self._opened = opened.pop_all()

    def run(self, attempt: Attempt) -> TrialRecord:
        """One episode."""
        stage, planned, layouts = self._stage, attempt.planned, self._session.layouts
        assert stage is not None
        assert isinstance(layouts, SceneLayouts)
        scenario = scenario_of(self._session, planned.task, planned.layout)
        condition = stage.condition(planned.code)
        stage.prepare(attempt)
        if isinstance(condition, SimulatedOperator):
            self._driver.begin(condition, scenario.task, scenario.seed)
        try:
            episode = stage.nodes.run_episode(
                scenario.task.kind,
                scenario.seed,
                layouts.held_out,
                Variation(brightness=layouts.brightness, distractors=layouts.distractors),
                instruction=scenario.instruction,
                laid_for=self._session.tasks[planned.task].instruction,
            )
        except BaseException:  # Ctrl-C too: what was recorded until now is no trial
            stage.drop()
            raise
        finally:
            self._driver.end()
        return replace(stage.finish(attempt, episode, episode.success), scored_by='simulation')

    def close(self) -> None:
        """Brake, end the nodes."""
        self._opened.close()

    def _while_waiting(self) -> None:
        self._check()
        if self._stage is not None:
            nodes = self._stage.nodes
            self._driver.tick(nodes.mode, nodes.outcome, time.monotonic())
