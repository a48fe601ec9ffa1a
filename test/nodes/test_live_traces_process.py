"""Traces, clicks and questions through the real node and its worker."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy')

from geometry_msgs.msg import PointStamped  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from magma_ros.benchmarks.perception_rig import (  # noqa: E402
    FRAME,
    HEIGHT_PX,
    WIDTH_PX,
    PerceptionRig,
)
from magma_ros.data_types import DepthImage  # noqa: E402
from magma_ros.nodes.node_processes import NodeProcesses  # noqa: E402
from magma_ros.nodes.node_program import NodeProgram  # noqa: E402
from magma_ros.ros import topics  # noqa: E402
from magma_ros.ros.camera_messages import depth_to_message  # noqa: E402

pytestmark = pytest.mark.ros
PATIENCE_S = 60.0
PARAMETERS = {
    'model': 'scripted',
    'mode': 'direct',
    'scripted_path': '<ans>[(0.5, 0.5), (0.75, 0.5), <action>Close Gripper</action>]</ans>',
    'scripted_words': 'It is mark 1.',
    'camera_pose_source': 'parameter',
    'camera_pose': [0.3, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0],  # looks down
    'trace_period_s': 0.1,
    'question_marks': 'clicks',
}


class Listener(PerceptionRig):
    """The camera with depth, and somebody who clicks and asks."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = topics.camera_topics()['depth'].publisher(self)
        self.question = topics.QUESTION.publisher(self)
        self.clicks = topics.CLICKED_POINT.publisher(self)
        self.markers: list = []
        self.paths: list = []
        self.answers: list[dict] = []
        topics.TRACE.subscribe(self, self.markers.append)
        topics.TRACE_PATH.subscribe(self, self.paths.append)
        topics.ANSWER.subscribe(self, lambda m: self.answers.append(json.loads(m.data)))

    def _publish(self) -> None:
        super()._publish()
        now_ns = self.get_clock().now().nanoseconds
        depth_m = np.full((HEIGHT_PX, WIDTH_PX), 1.0, np.float32)
        self.depth.publish(depth_to_message(DepthImage(depth_m, now_ns), FRAME))

    def ask(self, question: str) -> dict:
        before = len(self.answers)
        self.question.publish(String(data=question))
        assert self.run(lambda: len(self.answers) > before, PATIENCE_S) < PATIENCE_S
        return self.answers[-1]


@pytest.fixture
def listener(domain_id) -> Iterator[Listener]:
    program = NodeProgram('perception_node', ('perception.yaml',))
    with NodeProcesses([program], {program.name: PARAMETERS}, domain_id):
        rclpy.init(domain_id=domain_id)
        listener = Listener()
        yield listener
        listener.destroy_node()
        rclpy.shutdown()


def test_traces_are_drawn_beside_actions_and_questions_are_answered(listener) -> None:
    assert listener.run(lambda: 'reason' in listener.state, PATIENCE_S) < PATIENCE_S
    for wanted in (listener.question, listener.clicks):
        assert listener.run(wanted.get_subscription_count, PATIENCE_S) < PATIENCE_S
    listener.instruct()
    assert listener.run(lambda: listener.markers and listener.paths, PATIENCE_S) < PATIENCE_S

    marker, path = listener.markers[-1], listener.paths[-1]
    assert [(p.x, p.y) for p in marker.points] == [(320, 240), (320, 240), (480, 240)]
    ends = [pose.pose.position for pose in (path.poses[0], path.poses[-1])]
    assert path.header.frame_id == 'wx250s/base_link'
    assert np.hypot(ends[1].x - ends[0].x, ends[1].y - ends[0].y) == pytest.approx(160 / 600)
    assert ends[0].z == pytest.approx(0.0, abs=1e-6)
    before = listener.chunks
    assert listener.run(lambda: listener.chunks > before + 2, PATIENCE_S) < PATIENCE_S

    said = listener.ask('What is there?')
    assert (said['question'], said['answer']) == ('What is there?', 'It is mark 1.')
    assert 'no marks' in listener.ask('Which mark is the cube?')['error']
    click = PointStamped()
    click.header.frame_id, click.point.x, click.point.y = FRAME, 320.0, 300.0
    listener.clicks.publish(click)
    for _ in range(20):  # the question may overtake the click
        pointed = listener.ask('Which mark is the cube?')
        if 'mark' in pointed:
            break
    assert (pointed['mark'], pointed['place_px']) == (1, [320.0, 300.0])
    assert np.hypot(pointed['place_in_base_m'][0] - 0.3, pointed['place_in_base_m'][1]) == (
        pytest.approx(60 / 600)
    )
