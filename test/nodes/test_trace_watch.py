"""Live traces with a worker that answers at once."""

from __future__ import annotations

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
    GripperEvent,
    Observation,
    PixelTrace,
)
from magma_ros.errors import CameraError, ModelError  # noqa: E402
from magma_ros.model.action_model import TraceAnswer  # noqa: E402
from magma_ros.nodes.model_worker_queue import Reply  # noqa: E402
from magma_ros.nodes.trace_watch import TraceSettings, TraceWatch  # noqa: E402
from magma_ros.rotations import DOWN, make_pose  # noqa: E402

# Looks straight down from 1 m above (0.3, 0), image x along base x: 500 px a metre on the ground.
ABOVE = make_pose(np.array([0.3, 0.0, 1.0]), Rotation.from_euler('x', np.pi))
CAMERA = CameraModel(640, 480, 500.0, 500.0, 320.0, 240.0, ABOVE)
AT_GRIPPER = PixelTrace(
    1,
    np.array([320.0, 240.0]),
    np.array([[370.0, 240.0], [420.0, 240.0]]),
    {1: GripperEvent.CLOSE},
)
ELSEWHERE = PixelTrace(2, np.array([50.0, 50.0]), np.array([[60.0, 60.0]]))


def observe(tool_m=(0.3, 0.0, 0.0), stamp_ns=10, depth_m=1.0) -> Observation:
    pose = make_pose(np.array(tool_m), DOWN)
    depth = DepthImage(np.full((480, 640), depth_m, np.float32), stamp_ns)
    image = CameraImage(np.zeros((480, 640, 3), np.uint8), stamp_ns, 'camera')
    return Observation(
        image, ArmState(np.zeros(6), np.zeros(6), pose, 1.0, 0), CAMERA, lambda: depth
    )


class Worker:
    def __init__(self) -> None:
        self.traces: list[PixelTrace] = [ELSEWHERE, AT_GRIPPER]
        self.asked: list[tuple] = []
        self.error: Exception | None = None

    def ask(self, kind, image_rgb, text, state=None, marks=None, limit_s=None) -> Reply:
        self.asked.append((kind, text, marks, limit_s))
        if self.error is not None:
            raise self.error
        return Reply(TraceAnswer(self.traces, ''), 0.001, 0.05)


class Marks:
    chosen: dict = {}

    def choose(self, source, seen):
        return self.chosen


class Bench:
    def __init__(self, marks='model') -> None:
        self.worker, self.marks, self.shown = Worker(), Marks(), []
        self.newest: tuple[Observation, str] | None = (observe(), 'go')
        self.watch = TraceWatch(
            TraceSettings(0.001, 0.2, marks),
            self.worker,
            self.marks,
            lambda: self.newest,
            self.shown.append,
        )


def test_the_trace_of_the_gripper_is_lifted_and_the_others_are_shown() -> None:
    bench = Bench()

    bench.watch.query(observe(), 'go')

    (trace,) = bench.shown
    assert bench.worker.asked == [('trace', 'go', None, 0.2)]
    assert trace.gripper is AT_GRIPPER
    assert bench.watch.traces == [ELSEWHERE, AT_GRIPPER]
    assert len(trace.path.points_in_base_m) == 3
    assert np.ptp(trace.path.points_in_base_m, axis=0).max() == pytest.approx(0.2, abs=1e-6)
    assert trace.path.points_in_base_m[:, 2] == pytest.approx(0.0)
    assert trace.path.events == {2: GripperEvent.CLOSE}
    assert bench.watch.values == {'traces': '2', 'trace_ms': '50'}


def test_the_distance_grows_when_the_gripper_leaves_the_trace() -> None:
    bench = Bench()
    bench.watch.follow(observe(stamp_ns=5, tool_m=(0.2, 0.1, 0.0)))  # before the trace
    bench.watch.query(observe(stamp_ns=10), 'go')
    for number, x in enumerate((0.3, 0.35, 0.4)):
        bench.watch.follow(observe((x, 0.0, 0.0), 10 + number))
    assert (
        float(bench.watch.values['trace_distance_px']) < 7.0
    )  # half of what lies between two samples

    bench.watch.follow(observe((0.4, 0.1, 0.0), 20))
    bench.watch.follow(observe((0.4, -0.1, 0.0), 21))

    assert float(bench.watch.values['trace_distance_px']) > 10.0
    px, mm = (float(bench.watch.values[f'trace_distance_{unit}']) for unit in ('px', 'mm'))
    assert mm == pytest.approx(px * 2.0, abs=0.2)  # 1 m away a pixel is 2 mm
    assert bench.watch.status == f'{px} px, {mm} mm from the trace'


def test_without_depth_there_is_a_trace_and_no_path() -> None:
    bench = Bench()

    bench.watch.query(observe(depth_m=0.0), 'go')

    assert bench.shown[0].path is None
    assert 'no depth' in bench.watch.values['trace_path']


def test_a_trace_of_something_else_has_no_distance() -> None:
    bench = Bench()
    bench.worker.traces = [ELSEWHERE]
    bench.watch.query(observe(), 'go')
    bench.watch.follow(observe(stamp_ns=11))

    assert bench.shown[0].gripper is None
    assert bench.shown[0].path is not None
    assert bench.watch.status == ''


def test_no_answer_is_no_trace_and_says_why() -> None:
    bench = Bench()
    bench.watch.query(observe(), 'go')
    bench.watch.follow(observe(stamp_ns=11))
    bench.worker.error = ModelError('restarting')

    bench.watch.query(observe(stamp_ns=12), 'go')

    assert bench.watch.traces == []
    assert bench.watch.values == {'trace_fault': 'restarting'}
    bench.worker.error, bench.worker.traces = None, []
    bench.watch.query(observe(stamp_ns=13), 'go')
    assert bench.shown[-1].path is None
    assert bench.watch.values['traces'] == '0'


def test_marks_that_were_chosen_are_asked_about() -> None:
    bench = Bench('clicks')
    bench.watch.query(observe(), 'go')
    assert 'click into the picture' in bench.watch.values['trace_fault']
    assert bench.worker.asked == []

    bench.marks.chosen = {1: np.array([3.0, 4.0])}
    bench.watch.query(observe(), 'go')
    assert bench.worker.asked[0][2] == bench.marks.chosen


def test_the_thread_asks_once_about_a_picture() -> None:
    bench = Bench()
    seen = threading.Semaphore(0)
    bench.watch.newest = lambda: (seen.release(), bench.newest)[1]
    bench.watch.start()
    for _ in range(5):
        assert seen.acquire(timeout=20.0)
    bench.watch.stop()

    assert len(bench.shown) == 1


def test_an_error_of_depth_is_no_end() -> None:
    bench = Bench()
    seen = observe()

    def broken():
        raise CameraError('CAMERA_STALE: no aligned depth')

    bench.watch.query(Observation(seen.image, seen.arm, CAMERA, broken), 'go')

    assert 'CAMERA_STALE' in bench.watch.values['trace_path']


def test_a_trace_of_what_was_done_before_is_not_shown_any_more() -> None:
    bench = Bench()
    bench.watch.query(observe(), 'go')
    bench.watch.follow(observe(stamp_ns=11))
    assert bench.watch.status

    bench.newest = (observe(stamp_ns=12), 'come back')
    bench.watch.follow(observe(stamp_ns=12))

    assert bench.watch.traces == []
    assert bench.watch.status == ''
