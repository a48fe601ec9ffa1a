"""The process of the model: asked, killed, out of memory, hanging, of another release."""

from __future__ import annotations

import os
import queue
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from magma_ros.errors import CameraError, ConfigurationError, InstructionError, ModelError
from magma_ros.image.picture_file import read_picture
from magma_ros.model.action_model import ActionAnswer, TraceAnswer
from magma_ros.motion.reason_codes import Reason
from magma_ros.nodes import model_worker, model_worker_process
from magma_ros.nodes.model_worker import ModelWorker, WorkerState
from magma_ros.nodes.model_worker_loading import ModelSettings
from magma_ros.nodes.model_worker_program import is_out_of_memory
from magma_ros.resources import asset_path

PICTURE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
PATIENCE_S = 60.0
ACTION = (0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 1.0)
PATH = '<ans>[(0.25, 0.5), (0.5, 0.5)]</ans>'


class Watched:
    """A worker and what it said about itself."""

    def __init__(self, **options) -> None:
        self.states: queue.Queue[WorkerState] = queue.Queue()
        self.worker = ModelWorker(on_change=self.states.put, **options)
        self.worker.start()

    def until(self, stage: str) -> WorkerState:
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            state = self.states.get(timeout=deadline_s - time.monotonic())
            if state.stage == stage:
                return state


@pytest.fixture
def watch() -> Iterator[Callable[..., Watched]]:
    watched: list[Watched] = []

    def start(**options) -> Watched:
        watched.append(Watched(**{'settings': ModelSettings(), **options}))
        return watched[-1]

    yield start
    for one in watched:
        one.worker.close()


@pytest.fixture
def fake(monkeypatch, watch) -> Callable[..., Watched]:
    """Workers of ``fake_model_worker.py``."""
    monkeypatch.setenv('PYTHONPATH', str(Path(__file__).parent))
    monkeypatch.setattr(model_worker_process, 'PROGRAM', 'fake_model_worker')
    monkeypatch.setattr(model_worker, 'BACK_OFF_S', (0.01, 0.01, 0.01))
    return watch


def test_a_model_answers_from_its_process(watch) -> None:
    settings = ModelSettings('scripted', scripted_actions=ACTION, scripted_path=PATH)
    watched = watch(settings=settings)
    stages = [watched.states.get(timeout=PATIENCE_S).stage for _ in range(3)]
    worker = watched.worker

    action = worker.ask('action', PICTURE, 'go').answer
    trace = worker.ask('trace', PICTURE, 'go').answer
    words = worker.ask('answer', PICTURE, 'what is there?').answer

    assert stages == ['loading', 'warming', 'ready']
    assert worker.loaded is not None
    assert (worker.loaded.identity.name, worker.loaded.statistics.key) == (
        'scripted',
        'magma_nano_sim',
    )
    assert isinstance(action, ActionAnswer)
    np.testing.assert_allclose(action.normalised, ACTION, atol=1 / 255)
    assert isinstance(trace, TraceAnswer)
    np.testing.assert_allclose(trace.traces[0].points_px[-1], (320, 240), atol=1)
    assert words == ''


def test_a_killed_process_is_reported_and_comes_back(fake) -> None:
    watched = fake()
    watched.until('ready')
    first = watched.worker.ask('answer', PICTURE, 'who').answer

    os.kill(watched.worker.pid, signal.SIGKILL)
    fallen = watched.until('restarting')
    risen = watched.until('ready')

    assert (fallen.reason, fallen.restarts) == (Reason.MODEL_OOM, 1)
    assert (risen.reason, risen.restarts) == (None, 1)
    assert watched.worker.ask('answer', PICTURE, 'who').answer != first


@pytest.mark.parametrize(
    ('text', 'reason', 'says'),
    [
        ('crash', Reason.MODEL_CRASH, 'exit code 7'),
        ('abort', Reason.MODEL_CRASH, 'SIGABRT'),
        ('memory', Reason.MODEL_OOM, 'ran out of memory: MemoryError'),
        ('nonsense', Reason.MODEL_CRASH, 'cannot be read'),
        ('hang', Reason.MODEL_CRASH, 'no answer in 0.1 s'),
    ],
)
def test_whoever_waits_for_a_process_that_dies_is_told(fake, text, reason, says) -> None:
    watched = fake(answer_s=0.1 if text == 'hang' else PATIENCE_S)
    watched.until('ready')

    with pytest.raises(ModelError, match=says):
        watched.worker.ask('answer', PICTURE, text)

    assert watched.until('restarting').reason is reason


def test_after_three_restarts_it_stays_down(fake) -> None:
    watched = fake()
    for _ in range(4):
        watched.until('ready')
        with pytest.raises(ModelError):
            watched.worker.ask('answer', PICTURE, 'crash')

    failed = watched.until('failed')

    assert (failed.reason, failed.restarts) == (Reason.MODEL_CRASH, 3)
    with pytest.raises(ModelError, match='exit code 7'):
        watched.worker.ask('answer', PICTURE, 'hello')


@pytest.mark.parametrize(
    ('how', 'says'), [('silent', 'ended with code 3 before'), ('old', 'has magma_ros another')]
)
def test_an_unusable_interpreter_is_not_tried_again(fake, monkeypatch, how, says) -> None:
    monkeypatch.setenv('FAKE_WORKER', how)

    failed = fake().until('failed')

    assert says in failed.text
    assert (failed.reason, failed.restarts) == (Reason.MODEL_LOAD, 0)


def test_errors_of_the_model_come_back_as_they_are(fake) -> None:
    watched = fake()
    watched.until('ready')

    with pytest.raises(CameraError, match='CAMERA_FORMAT: no'):
        watched.worker.ask('answer', PICTURE, 'refuse')
    with pytest.raises(CameraError, match='too large'):
        watched.worker.ask('answer', np.zeros((20_000, 20_000, 3), np.uint8), 'large')
    with pytest.raises(InstructionError):
        watched.worker.ask('answer', PICTURE, 'x' * 1_000_000)

    assert watched.worker.ask('answer', PICTURE, 'well').answer.startswith('well False')


def test_a_reset_goes_with_the_next_request_only(fake) -> None:
    watched = fake()
    watched.until('ready')
    watched.worker.reset()

    said = [watched.worker.ask('answer', PICTURE, 'a').answer.split()[1] for _ in range(2)]

    assert said == ['True', 'False']


def test_a_model_that_cannot_be_loaded_is_final(watch) -> None:
    failed = watch(settings=ModelSettings('/nowhere')).until('failed')

    assert failed.reason is Reason.MODEL_LOAD
    assert 'is not a folder' in failed.text


def test_a_process_that_is_killed_before_its_first_word_is_tried_again() -> None:
    killed = model_worker_process.explain_death(-signal.SIGKILL, {'why': 'silent'})
    ended = model_worker_process.explain_death(1, {'why': 'silent'})

    assert (killed.reason, killed.is_final) == (Reason.MODEL_OOM, False)
    assert (ended.reason, ended.is_final) == (Reason.MODEL_LOAD, True)


@pytest.mark.parametrize(
    ('error', 'is_memory'),
    [
        (MemoryError(), True),
        (RuntimeError('std::bad_alloc: bad allocation'), True),
        (type('OutOfMemoryError', (RuntimeError,), {})('CUDA'), True),
        (RuntimeError('a shape is wrong'), False),
    ],
)
def test_memory_errors_of_all_libraries_are_known(error, is_memory) -> None:
    assert is_out_of_memory(error) is is_memory


def test_an_absent_interpreter_is_named() -> None:
    with pytest.raises(ConfigurationError, match='model_python'):
        ModelWorker(ModelSettings(), '/no/python')


def test_other_interpreters_do_not_see_our_packages() -> None:
    inherited = {'PYTHONPATH': '/ros', 'HOME': '/here'}

    assert model_worker_process.worker_environment('', inherited) == inherited
    assert model_worker_process.worker_environment('python', inherited) == {'HOME': '/here'}


def test_nano_draws_as_long_as_it_may_and_has_no_words(watch) -> None:
    one = watch()
    one.until('ready')
    rgb = read_picture(asset_path('reference_views') / 'nano.png')
    sentence = 'pick up the red cube'

    def drawn_points(limit_s: float | None) -> int:
        traces = one.worker.ask('trace', rgb, sentence, None, None, limit_s).answer.traces
        return sum(len(trace.points_px) for trace in traces)

    assert drawn_points(1e-6) == 1 < drawn_points(None) == drawn_points(60.0)
    with pytest.raises(ModelError, match='magma-nano has no words'):
        one.worker.ask('answer', rgb, 'what is there?')
    marks = {3: np.array([320.0, 240.0])}
    assert isinstance(one.worker.ask('trace', rgb, sentence, None, marks).answer, TraceAnswer)


def test_a_model_that_only_draws_paths_is_ready_without_an_action(watch) -> None:
    pytest.importorskip('httpx', reason='needs the serve extra')
    one = watch(settings=ModelSettings('openai+http://127.0.0.1:1/Hamster_dev'))
    one.until('ready')

    with pytest.raises(ModelError, match='127.0.0.1:1/v1/chat/completions cannot be reached'):
        one.worker.ask('trace', PICTURE, 'go')
    with pytest.raises(ModelError, match='gives no actions'):
        one.worker.ask('action', PICTURE, 'go')
    assert one.worker.loaded.statistics is None
