"""Trials on a real arm: a person lays the table, starts, and judges; the nodes run already."""

from __future__ import annotations

from dataclasses import replace

from magma_ros.evaluation.sessions.conditions import Teleop
from magma_ros.evaluation.sessions.ghost_overlay import (
    overlay_ghost,
    read_reference,
    write_picture,
)
from magma_ros.evaluation.sessions.layouts import PictureLayouts
from magma_ros.evaluation.sessions.node_stage import NodeStage, write_serving
from magma_ros.evaluation.sessions.sealing import Key
from magma_ros.evaluation.sessions.session_file import Session
from magma_ros.evaluation.sessions.session_folder import SEALED, SessionFolder
from magma_ros.evaluation.sessions.terminal import LineTerminal, Terminal, ask
from magma_ros.evaluation.sessions.trial_record import TrialRecord
from magma_ros.evaluation.sessions.trial_runner import Attempt

GHOST = 'ghost.jpg'
DRIVER = f'{SEALED}/driver.txt'
LOOK_OR_GO = {'': 'look again', 'g': 'it is as in the picture'}
JUDGEMENTS = {'s': 'success', 'f': 'failure', 'i': 'invalid, repeat it'}


class HardwareTrialRunner:
    """Asks the same questions about every trial; see ``trial_runner.TrialRunner``.

    Who drives by hand reads ``sealed/driver.txt`` on a screen of his own: nothing here says when
    it is his turn.

    Args:
        folder: of the session.
        session: its file.
        key: what the codes mean.
        terminal: who is asked; None: the person at this one.
        stage: the nodes; None: those of this ROS domain.
    """

    def __init__(
        self,
        folder: SessionFolder,
        session: Session,
        key: Key,
        terminal: Terminal | None = None,
        stage: NodeStage | None = None,
    ) -> None:
        self._folder, self._session, self._total = folder.path, session, len(folder.plan.order)
        self._terminal = terminal or LineTerminal()
        write_serving(folder, session, key)
        self._stage = stage or NodeStage(folder, session, key)

    def run(self, attempt: Attempt) -> TrialRecord:
        """One trial, from laying the table to the judgement."""
        planned, terminal = attempt.planned, self._terminal
        task = self._session.tasks[planned.task]
        terminal.say(f'\ntrial {planned.trial + 1} of {self._total}: {task.instruction}')
        self._restore_layout(planned.layout)
        self._stage.prepare(attempt)
        try:
            self._tell_driver(attempt)
            terminal.read('Clear the arm, hand on the emergency stop. Enter: start')
            terminal.say(f'Enter ends it; otherwise it ends after {task.time_limit_s:g} s')
            while terminal.poll() is not None:
                pass  # Enter once more than was asked for
            lines: list[str] = []
            episode = self._stage.nodes.run_sentence(
                task.instruction, task.time_limit_s, lambda: self._is_ended(lines)
            )
            judgement = ask(terminal, 'What was it?', JUDGEMENTS)
            note = terminal.read('A note, or why it is invalid:')
        except BaseException:  # Ctrl-C too: what was recorded until now is no trial
            self._stage.drop()
            raise
        finally:
            (self._folder / DRIVER).unlink(missing_ok=True)
        record = self._stage.finish(attempt, episode, judgement == 's')
        ended = 'operator' if lines and record.ended == 'time' else record.ended
        invalid = (note or 'not said why') if judgement == 'i' else ''
        return replace(record, scored_by='operator', ended=ended, note=note, invalid=invalid)

    def close(self) -> None:
        """Leave the nodes to the operator."""
        self._stage.close()

    def _restore_layout(self, layout: str) -> None:
        layouts = self._session.layouts
        assert isinstance(layouts, PictureLayouts)
        reference = read_reference(layouts.pictures[layout])
        path, answer = self._folder / GHOST, ''
        while answer != 'g':
            live = self._stage.watch.picture()
            if live is None:
                seen = f'the camera shows nothing; lay it after {layouts.pictures[layout]}'
            else:
                blended, difference = overlay_ghost(reference, live)
                write_picture(path, blended)
                seen = f'{path} shows what to move; mean difference {difference:.1f} of 255'
            answer = ask(self._terminal, f'Restore layout {layout}: {seen}.', LOOK_OR_GO)

    def _tell_driver(self, attempt: Attempt) -> None:
        condition = self._stage.condition(attempt.planned.code)
        text = 'hands off'
        if isinstance(condition, Teleop):
            text = f'{condition.operator} drives, with {condition.device}'
        (self._folder / DRIVER).write_text(
            f'trial {attempt.planned.trial + 1}: {text}\n', encoding='utf-8'
        )

    def _is_ended(self, lines: list[str]) -> bool:
        line = self._terminal.poll()
        if line is not None:
            lines.append(line)
        return bool(lines)
