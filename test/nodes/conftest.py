"""A rig around a controller process: everything else it talks to, in this process."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from magma_ros.ros.process_environment import process_environment

pytest.importorskip('rclpy')

import rclpy  # noqa: E402
from moveit_msgs.srv import ServoCommandType  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from magma_ros.data_types import DeltaChunk, EndEffectorDelta  # noqa: E402
from magma_ros.model.action_model import ModelIdentity  # noqa: E402
from magma_ros.robot.arm_profile import load_arm_profile  # noqa: E402
from magma_ros.ros import topics  # noqa: E402
from magma_ros.ros.arm_messages import joint_state_message, twist_from_message  # noqa: E402
from magma_ros.ros.chunk_messages import (  # noqa: E402
    ActionInfo,
    chunk_to_message,
    info_to_message,
)
from magma_ros.ros.status_messages import heartbeat_message, status_values  # noqa: E402

_DOMAINS = itertools.count(os.getpid())


@pytest.fixture
def domain_id():
    """A domain of its own for each test, unlikely to be used by another run."""
    return 20 + next(_DOMAINS) % 80


@pytest.fixture(autouse=True)
def _this_machine_only(monkeypatch):
    for name, value in process_environment().items():
        monkeypatch.setenv(name, value)


class ControllerRig:
    """A fake Servo, arm and perception around a real controller process."""

    def __init__(self, domain_id, parameters=()):
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self.node = rclpy.create_node('controller_rig', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._profile = load_arm_profile('wx250s')
        self._joint_names = (*self._profile.joint_names, self._profile.gripper_joint)
        self._positions = [*self._profile.start_joints_rad, self._profile.finger_open_m]
        self.twists, self.state, self.sequence = [], {}, 0
        self.joints_speak = self.perception_speaks = True
        self._joints = topics.JOINT_STATES.publisher(self.node)
        self._heartbeat = topics.heartbeat_topic('perception_node').publisher(self.node)
        self._chunks = topics.ACTION_CHUNK.publisher(self.node)
        self._infos = topics.ACTION_INFO.publisher(self.node)
        topics.TWIST.subscribe(
            self.node, lambda m: self.twists.append((time.monotonic(), twist_from_message(m)))
        )
        topics.STATE.subscribe(self.node, lambda m: self.state.update(status_values(m)))
        self.node.create_service(
            ServoCommandType, topics.SWITCH_COMMAND_TYPE.name, self._accept_twists
        )
        self.node.create_timer(0.01, self._publish_joints)
        self.node.create_timer(0.1, self._publish_heartbeat)
        self._requests = {
            name: self.node.create_client(Trigger, service.name)
            for name, service in topics.OPERATOR_SERVICES.items()
        }
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()
        options = [word for parameter in parameters for word in ('-p', parameter)]
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'magma_ros.nodes.controller_node', '--ros-args', *options],
            env=process_environment(domain_id),
            stderr=subprocess.PIPE,
            text=True,
        )

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(10)
        self.process.stderr.close()
        self._stopped.set()
        self._thread.join()
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)

    def wait_for(self, is_so, timeout_s=45.0):
        deadline_s = time.monotonic() + timeout_s
        while not is_so():
            assert time.monotonic() < deadline_s, f'not within {timeout_s} s; state {self.state}'
            time.sleep(0.01)

    def ask(self, request):
        client = self._requests[request]
        self.wait_for(client.service_is_ready)
        future = client.call_async(Trigger.Request())
        self.wait_for(future.done)
        return future.result().success

    def begin_policy(self):
        self.wait_for(lambda: self.ask('arm'))
        assert self.ask('start')
        self.wait_for(lambda: self.state.get('mode') == 'policy')

    def send_chunk(self, z_m=-0.03, **changes):
        """One picture's delta, as perception would send it."""
        self.sequence += 1
        delta = EndEffectorDelta(np.array([0.0, 0.0, z_m]), np.zeros(3), 1.0)
        values = {
            'deltas': (delta,),
            'step_s': 0.2,
            'image_stamp_ns': self.now_ns(),
            'reference': 'measured',
            'frame_id': self._profile.base_link,
            'sequence': self.sequence,
        }
        chunk = DeltaChunk(**{**values, **changes})
        stamp_ns = chunk.image_stamp_ns
        info = ActionInfo(
            stamp_ns, chunk.sequence, 'policy', 'measured', ModelIdentity('x', '0'), 0, 0
        )
        self._chunks.publish(chunk_to_message(chunk))
        self._infos.publish(info_to_message(info))

    def speed(self):
        """Largest part of the newest twist (m/s or rad/s)."""
        return _largest(self.twists[-1][1]) if self.twists else 0.0

    def now_ns(self):
        return self.node.get_clock().now().nanoseconds

    def _spin(self):
        while not self._stopped.is_set():
            self._executor.spin_once(0.05)

    def _accept_twists(self, request, response):
        response.success = request.command_type == ServoCommandType.Request.TWIST
        return response

    def _publish_joints(self):
        if self.joints_speak:
            positions = np.array(self._positions)
            message = joint_state_message(
                self._joint_names, positions, 0 * positions, self.now_ns()
            )
            self._joints.publish(message)

    def _publish_heartbeat(self):
        if self.perception_speaks:
            self._heartbeat.publish(heartbeat_message('perception_node', self.now_ns()))


def _largest(twist):
    return max(abs(value) for value in (*twist.linear_m_s, *twist.angular_rad_s))


@pytest.fixture
def make_rig(domain_id):
    """Starts a controller and its rig; generous ages, because the machine may be busy."""
    rigs = []

    def make(*parameters):
        patient = ('joints_hold_s:=0.5', 'joints_stop_s:=1.0', 'perception_hold_s:=1.0')
        rigs.append(ControllerRig(domain_id, (*patient, *parameters)))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.close()
