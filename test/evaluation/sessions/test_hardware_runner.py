"""The conversation at the arm, with a script in the place of the person and of the nodes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from session_kit import write_table

pytest.importorskip('rclpy')

from magma_ros.errors import ArmError, ConfigurationError  # noqa: E402
from magma_ros.evaluation.sessions.ghost_overlay import overlay_ghost  # noqa: E402
from magma_ros.evaluation.sessions.hardware_runner import HardwareTrialRunner  # noqa: E402
from magma_ros.evaluation.sessions.new_session import create_session  # noqa: E402
from magma_ros.evaluation.sessions.session_folder import SessionFolder  # noqa: E402
from magma_ros.evaluation.sessions.session_run import run_session  # noqa: E402
from magma_ros.model.action_model import ModelIdentity  # noqa: E402

TABLE_RGB = np.full((48, 64, 3), 90, np.uint8)
GO, START, SUCCESS, FAILURE, NOTE = 'g', '', 's', 'f', ''


class Script:
    """Answers in the order given, and keeps what was said."""

    def __init__(self, answers: list[str]) -> None:
        self.answers, self.typed, self.heard = answers, [''], ''  # Enter once too often

    def say(self, text: str) -> None:
        self.heard += f'{text}\n'

    def read(self, question: str) -> str:
        self.say(question)
        if not self.answers:
            raise KeyboardInterrupt
        return self.answers.pop(0)

    def poll(self) -> str | None:
        return self.typed.pop(0) if self.typed else None


class Stage:
    """Nodes that do what they are told, in no time."""

    def __init__(self, folder: SessionFolder) -> None:
        key = folder.open_key()
        session = folder.open_file(key)
        self._conditions = {c: session.conditions[one.name] for c, one in key.conditions.items()}
        self._path = folder.path
        self.watch = SimpleNamespace(picture=lambda: TABLE_RGB)
        self.nodes = self
        self.log: list[str] = []
        self.drivers: list[str] = []
        self.while_running: Callable[[], None] = lambda: None
        self.fault: Exception | None = None

    def condition(self, code: str):
        return self._conditions[code]

    def prepare(self, attempt) -> None:
        self.log.append(f'prepare {attempt.stem}')

    def run_sentence(self, sentence: str, limit_s: float, is_over: Callable[[], bool]):
        self.drivers.append((self._path / 'sealed/driver.txt').read_text())
        self.log.append(f'run {sentence}')
        self.while_running()
        if self.fault is not None:
            raise self.fault
        return SimpleNamespace(duration_s=3.0 if is_over() else limit_s)

    def finish(self, attempt, episode, success: bool):
        ended = 'success' if success else 'time'
        return attempt.record(success=success, duration_s=episode.duration_s, ended=ended)

    def drop(self) -> None:
        self.log.append('drop')

    def close(self) -> None:
        self.log.append('close')


@pytest.fixture
def folder(tmp_path: Path) -> SessionFolder:
    pictures = tmp_path / 'tables'
    pictures.mkdir()
    for name in ('left', 'right'):
        cv2.imwrite(str(pictures / f'{name}.png'), TABLE_RGB)

    def on_hardware(table: dict) -> None:
        table.update(
            through='hardware',
            success='operator',
            tasks={'stack': {'instruction': 'stack the cups', 'time_limit_s': 30}},
            layouts={'pictures': 'tables'},
            conditions={
                'by_hand': {'kind': 'teleop', 'operator': 'Ada', 'device': 'spacemouse'},
                'nano_path': {'kind': 'policy'},
            },
        )

    file = write_table(tmp_path / 'file.yaml', on_hardware)
    made = create_session(file, tmp_path / 'out', lambda choice: ModelIdentity('m', 'ff'))
    for path in pictures.iterdir():  # the session has its own copies
        path.unlink()
    return made


def run(folder: SessionFolder, script: Script, stage: Stage, most: int | None = None) -> bool:
    def make(*about):
        return HardwareTrialRunner(*about, terminal=script, stage=stage)

    return run_session(folder, make, most)


def test_a_session_asks_the_same_of_every_trial(folder: SessionFolder) -> None:
    each = [GO, START, SUCCESS, NOTE]
    script, stage = Script(each * 4), Stage(folder)

    assert run(folder, script, stage)

    assert script.answers == []
    assert stage.log[:2] == ['prepare trial_0000', 'run stack the cups']
    assert stage.log[-1] == 'close'
    records = folder.records()
    assert [one.scored_by for one in records] == ['operator'] * 4
    assert all(one.success for one in records)
    questions = script.heard.split('\ntrial ')[1:]
    plain = {
        text.split('\n', 1)[1].replace('left', '?').replace('right', '?') for text in questions
    }
    assert len(plain) == 1, 'trials of different conditions can be told apart'


def test_nothing_the_scorer_reads_names_a_condition(folder: SessionFolder) -> None:
    script, stage = Script([GO, START, FAILURE, NOTE] * 4), Stage(folder)
    run(folder, script, stage)

    for word in ('by_hand', 'nano', 'Ada', 'spacemouse', 'teleop', 'policy'):
        assert word not in script.heard
    hands = [text.split(': ')[1] for text in stage.drivers]
    assert sorted(hands) == ['Ada drives, with spacemouse\n'] * 2 + ['hands off\n'] * 2
    assert not (folder.path / 'sealed/driver.txt').exists()


def test_notes_early_ends_and_invalid_trials_are_kept(folder: SessionFolder) -> None:
    answers = [GO, START, FAILURE, 'too slow', GO, START, 'i', 'a cup broke']
    script = Script(answers + [GO, START, 'x', SUCCESS, NOTE] * 3)
    stage = Stage(folder)
    typed = iter([[''], [], [], [], []])
    stage.while_running = lambda: script.typed.extend(next(typed))

    assert run(folder, script, stage)

    first, broken, again, *_ = folder.records()
    assert (first.ended, first.duration_s, first.note) == ('operator', 3.0, 'too slow')
    assert (broken.invalid, broken.trial, again.trial) == ('a cup broke', 1, 1)
    assert again.duration_s == 30.0
    assert "'x' is none of these" in script.heard


def test_the_layout_is_restored_by_a_ghost(folder: SessionFolder) -> None:
    script, stage = Script(['', GO, START, SUCCESS, NOTE]), Stage(folder)
    moved = TABLE_RGB.copy()
    moved[10:20, 10:20] = 250
    views = iter([moved, TABLE_RGB])
    stage.watch.picture = lambda: next(views)
    run(folder, script, stage, most=1)

    assert 'mean difference 5.2 of 255' in script.heard
    assert 'mean difference 0.0 of 255' in script.heard
    assert cv2.imread(str(folder.path / 'ghost.jpg')).shape == (48, 64, 3)


def test_a_dark_camera_leaves_the_picture_to_the_person(folder: SessionFolder) -> None:
    script, stage = Script([GO, START, SUCCESS, NOTE]), Stage(folder)
    stage.watch.picture = lambda: None
    run(folder, script, stage, most=1)

    assert 'the camera shows nothing; lay it after' in script.heard


@pytest.mark.parametrize('answers', [[GO], [GO, START], [GO, START, SUCCESS]])
def test_ctrl_c_drops_the_recording_and_keeps_the_trial_for_later(
    folder: SessionFolder, answers: list[str]
) -> None:
    stage = Stage(folder)
    with pytest.raises(KeyboardInterrupt):
        run(folder, Script(answers), stage)

    assert stage.log[-2:] == ['drop', 'close']
    assert [one.invalid for one in folder.records()] == ['interrupted by the operator']
    assert folder.remaining()[0].trial == 0


def test_an_arm_that_cannot_start_is_not_a_failure_of_the_condition(folder: SessionFolder) -> None:
    stage = Stage(folder)
    stage.fault = ArmError('it is unplugged')

    with pytest.raises(ConfigurationError, match='3 times in a row'):
        run(folder, Script([GO, START] * 3), stage)

    assert [one.invalid for one in folder.records()] == ['not run: ArmError'] * 3


def test_a_ghost_shows_both_pictures_and_the_edges() -> None:
    reference = np.zeros((40, 40, 3), np.uint8)
    reference[10:30, 10:30] = 200
    live = np.full_like(reference, 100)

    blended, difference = overlay_ghost(reference, live)

    assert blended[20, 20].tolist() == [150, 150, 150]
    assert blended[2, 2].tolist() == [50, 50, 50]
    assert (blended == (255, 64, 0)).all(axis=2).any()
    assert difference == pytest.approx(100.0)


def test_pictures_of_different_sizes_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r'\(64, 48\) px and the camera gives \(48, 64\)'):
        overlay_ghost(TABLE_RGB, np.ascontiguousarray(TABLE_RGB.transpose(1, 0, 2)))
