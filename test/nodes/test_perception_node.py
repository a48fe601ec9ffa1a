"""The node's life, with a cheap worker: it answers while the model loads, says what is wrong."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticStatus  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.lifecycle import TransitionCallbackReturn  # noqa: E402

from magma_ros.data_types import CameraImage  # noqa: E402
from magma_ros.nodes import model_worker, model_worker_process  # noqa: E402
from magma_ros.nodes.perception_node import PerceptionNode  # noqa: E402
from magma_ros.ros import topics  # noqa: E402
from magma_ros.ros.camera_messages import image_to_message  # noqa: E402
from magma_ros.ros.status_messages import ERROR, OK, status_values  # noqa: E402

pytestmark = pytest.mark.ros
SUCCESS = TransitionCallbackReturn.SUCCESS
PATIENCE_S = 30.0


class Rig:
    """The node and somebody who listens to it."""

    def __init__(self, domain_id: int, **parameters) -> None:
        words = [word for name, value in parameters.items() for word in ('-p', f'{name}:={value}')]
        rclpy.init(args=['--ros-args', *words], domain_id=domain_id)
        self.node, self.other = PerceptionNode(), rclpy.create_node('listener')
        self.said: list[DiagnosticStatus] = []
        topics.PERCEPTION_STATE.subscribe(self.other, self.said.append)
        self.pictures = topics.camera_topics()['colour'].publisher(self.other)
        self._executor = SingleThreadedExecutor()
        for node in (self.node, self.other):
            self._executor.add_node(node)

    def until(self, is_so: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < deadline_s, [one.message for one in self.said]
            self._executor.spin_once(0.05)

    def until_said(self, reason: str, text: str = '') -> DiagnosticStatus:
        def is_said() -> bool:
            return bool(self.said) and (
                status_values(self.said[-1])['reason'] == reason and text in self.said[-1].message
            )

        self.until(is_said)
        return self.said[-1]

    def close(self) -> None:
        self.node.close()
        self._executor.shutdown()
        for node in (self.node, self.other):
            node.destroy_node()
        rclpy.shutdown()


@pytest.fixture
def make_rig(domain_id, monkeypatch) -> Iterator[Callable[..., Rig]]:
    monkeypatch.setenv('PYTHONPATH', str(Path(__file__).parent))
    monkeypatch.setattr(model_worker_process, 'PROGRAM', 'fake_model_worker')
    monkeypatch.setattr(model_worker, 'BACK_OFF_S', (0.01, 0.01, 0.01))
    rigs = []

    def make(**parameters) -> Rig:
        rigs.append(Rig(domain_id, **parameters))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.close()


def test_it_lives_while_the_model_loads_dies_and_comes_back(make_rig, monkeypatch) -> None:
    monkeypatch.setenv('FAKE_WORKER', 'slow')
    rig = make_rig()
    assert rig.node.trigger_configure() is SUCCESS
    assert rig.node.trigger_activate() is SUCCESS

    loading = rig.until_said('MODEL_LOADING', 'loading')  # said by a node that spins
    assert (loading.level, status_values(loading)['worker']) == (ERROR, 'loading')
    ready = rig.until_said('CAMERA_STALE')
    assert status_values(ready)['model_sha256'] == '0'

    os.kill(int(status_values(ready)['worker_pid']), signal.SIGKILL)
    assert rig.until_said('MODEL_OOM').level == ERROR
    rig.until_said('CAMERA_STALE')

    rgb = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    picture = image_to_message(CameraImage(rgb, rig.node.get_clock().now().nanoseconds, 'c'))
    rig.until(lambda: rig.pictures.get_subscription_count() > 0)
    rig.pictures.publish(picture)
    rig.until_said('JOINTS_STALE', 'joint')

    assert rig.node.trigger_deactivate() is SUCCESS
    assert rig.until_said('', 'configured').level == OK
    assert rig.node.trigger_cleanup() is SUCCESS
    rig.until_said('', 'not configured')
    assert not rig.node.has_failed


def test_a_model_that_cannot_be_loaded_unconfigures(make_rig, monkeypatch) -> None:
    monkeypatch.setenv('FAKE_WORKER', 'refusing')
    rig = make_rig()
    assert rig.node.trigger_configure() is SUCCESS
    assert rig.node.trigger_activate() is SUCCESS

    rig.until_said('MODEL_LOAD', 'no such model')

    monkeypatch.setenv('FAKE_WORKER', '')  # somebody puts it right
    rig.until(lambda: rig.node.trigger_configure() is SUCCESS)
    rig.until_said('', 'configured')


@pytest.mark.parametrize(
    ('parameters', 'says'),
    [
        ({'model_python': '/no/python'}, 'model_python'),
        ({'reference_picture': '/no/picture.png'}, 'does not exist'),
        ({'arm': 'nobodys'}, 'nobodys'),
    ],
)
def test_what_is_wrong_at_once_fails_to_configure(make_rig, parameters, says) -> None:
    rig = make_rig(**parameters)

    assert rig.node.trigger_configure() is TransitionCallbackReturn.FAILURE
    assert says in rig.node.fault
