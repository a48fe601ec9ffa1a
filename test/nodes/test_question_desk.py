"""Questions with a worker that answers from a list."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

pytest.importorskip('rclpy')

from magma_ros.data_types import (  # noqa: E402
    ArmState,
    CameraImage,
    CameraModel,
    DepthImage,
    Observation,
)
from magma_ros.errors import ModelError  # noqa: E402
from magma_ros.nodes.model_worker_queue import Reply  # noqa: E402
from magma_ros.nodes.question_desk import (  # noqa: E402
    MOST_WAITING,
    QuestionDesk,
    SpokenAnswer,
    answer_fields,
)
from magma_ros.rotations import make_pose  # noqa: E402

ABOVE = make_pose(np.array([0.3, 0.0, 1.0]), Rotation.from_euler('x', np.pi))
CAMERA = CameraModel(640, 480, 500.0, 500.0, 320.0, 240.0, ABOVE)
MARKS = {1: np.array([320.0, 240.0]), 2: np.array([420.0, 240.0])}
PATIENCE_S = 20.0


class Worker:
    def __init__(self) -> None:
        self.words: str | Exception = 'a table'
        self.pictures: list[np.ndarray] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def ask(self, kind, image_rgb, text) -> Reply:
        assert kind == 'answer'
        self.pictures.append(image_rgb)
        assert self.may_answer.wait(PATIENCE_S)
        if isinstance(self.words, Exception):
            raise self.words
        return Reply(self.words, 0.0, 0.0)


class Marks:
    chosen = MARKS

    def choose(self, source, seen):
        return self.chosen


class Bench:
    def __init__(self, depth_m: float = 1.0) -> None:
        self.worker, self.marks = Worker(), Marks()
        self.published: list[SpokenAnswer] = []
        self.arrived = threading.Semaphore(0)
        depth = DepthImage(np.full((480, 640), depth_m, np.float32), 0)
        image = CameraImage(np.full((480, 640, 3), 90, np.uint8), 7, 'camera')
        arm = ArmState(np.zeros(6), np.zeros(6), ABOVE, 1.0, 0)
        self.seen: Observation | None = Observation(image, arm, CAMERA, lambda: depth)
        self.desk = QuestionDesk(
            self.worker, self.marks, 'segments', lambda: self.seen, self._publish
        )

    def _publish(self, answer: SpokenAnswer) -> None:
        self.published.append(answer)
        self.arrived.release()


def test_an_answer_carries_its_question_and_the_picture_it_is_about() -> None:
    answer = Bench().desk.reply('What is there?')

    assert answer_fields(answer) == {
        'question': 'What is there?',
        'answer': 'a table',
        'stamp_ns': 7,
    }


def test_which_mark_is_asked_on_a_picture_with_marks_and_gets_a_place() -> None:
    bench = Bench()
    bench.worker.words = 'Mark: 2.'

    fields = answer_fields(bench.desk.reply(' Which mark is the red cube?'))

    (picture,) = bench.worker.pictures
    assert (picture[232:248, 412:428] == (255, 0, 0)).all(axis=2).any()
    assert (fields['mark'], fields['place_px']) == (2, [420.0, 240.0])
    x, y, z = fields['place_in_base_m']
    assert np.hypot(x - 0.3, y) == pytest.approx(0.2)
    assert z == pytest.approx(0.0)
    assert json.loads(json.dumps(fields)) == fields


def test_a_mark_has_no_place_where_the_camera_has_no_depth() -> None:
    bench = Bench(depth_m=0.0)
    bench.worker.words = '2'

    fields = answer_fields(bench.desk.reply('what mark is it?'))

    assert fields['mark'] == 2
    assert 'place_in_base_m' not in fields


@pytest.mark.parametrize('words', ['a red cube', 'Mark 3', 'Mark 1 or mark 2', ''])
def test_an_answer_that_names_no_mark_of_the_picture_is_an_error(words) -> None:
    bench = Bench()
    bench.worker.words = words

    fields = answer_fields(bench.desk.reply('which mark is the cube?'))

    assert 'names none of the 2 marks' in fields['error']
    assert 'answer' not in fields
    assert 'mark' not in fields


def test_what_cannot_be_answered_is_said() -> None:
    bench = Bench()
    bench.worker.words = ModelError('magma-nano has no words')
    assert bench.desk.reply('hello?').error == 'magma-nano has no words'
    bench.marks.chosen = {}
    assert 'no marks' in bench.desk.reply('which mark is it?').error
    bench.seen = None
    assert 'no picture' in bench.desk.reply('hello?').error


def test_questions_wait_in_order_and_too_many_are_refused_with_words() -> None:
    bench = Bench()
    bench.worker.may_answer.clear()
    for number in range(MOST_WAITING + 1):
        bench.desk.ask(f'question {number}')

    (refused,) = bench.published
    assert refused.question == f'question {MOST_WAITING}'
    assert 'ask again' in refused.error

    bench.worker.may_answer.set()
    bench.desk.start()
    for _ in range(MOST_WAITING + 1):
        assert bench.arrived.acquire(timeout=PATIENCE_S)
    bench.desk.stop()
    asked = [answer.question for answer in bench.published[1:]]
    assert asked == [f'question {number}' for number in range(MOST_WAITING)]
