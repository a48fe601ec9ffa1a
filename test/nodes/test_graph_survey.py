from __future__ import annotations

import threading
import time

import pytest

pytest.importorskip('rclpy')

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor

from magma_ros.camera.lens import assume_lens
from magma_ros.nodes.graph_survey import survey_graph
from magma_ros.ros.camera_messages import camera_to_message
from magma_ros.ros.camera_topics import camera_topics

LATE_S = 0.5


def test_rates_and_ages_of_a_running_graph(
    domain_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A camera_info of 20 Hz whose stamps are half a second old."""
    monkeypatch.setenv('ROS_DOMAIN_ID', str(domain_id))
    assert survey_graph(0.1, '/joint_states') == (set(), [])
    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node('some_camera', context=context)
    publisher = camera_topics()['colour_info'].publisher(node)
    camera = assume_lens(64, 48).camera_model()

    def publish() -> None:
        stamp_ns = time.time_ns() - round(LATE_S * 1e9)
        publisher.publish(camera_to_message(camera, stamp_ns, 'optical'))

    node.create_timer(0.05, publish)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    try:
        nodes, reports = survey_graph(1.0, '/joint_states')
    finally:
        executor.shutdown()
        thread.join()
        node.destroy_node()
        rclpy.shutdown(context=context)

    assert nodes == {'some_camera'}
    by_name = {report.name: report for report in reports}
    info = by_name['/camera/camera/color/camera_info']
    assert info.publishers == 1
    assert info.count > 3
    assert info.age_s is not None
    assert info.age_s >= LATE_S
    silent = by_name['/joint_states']
    assert (silent.publishers, silent.count, silent.age_s) == (0, 0, None)
