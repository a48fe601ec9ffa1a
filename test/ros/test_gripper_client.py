"""One contract for every gripper interface a profile can name."""

import os
from dataclasses import replace

import pytest

rclpy = pytest.importorskip('rclpy')

from gripper_rigs import RIGS  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402

from magma_ros.errors import ConfigurationError, EnvironmentMissing  # noqa: E402
from magma_ros.robot.arm_profile import load_arm_profile  # noqa: E402
from magma_ros.robot.profile_checks import GRIPPER_INTERFACES  # noqa: E402
from magma_ros.ros.gripper_client import PORTS, GripperClient, make_port  # noqa: E402
from magma_ros.ros.gripper_port import Outcome  # noqa: E402

pytestmark = pytest.mark.ros
PROFILE = load_arm_profile('wx250s')


@pytest.fixture(scope='module')
def executor():
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=20 + os.getpid() % 80)
    node = rclpy.create_node('gripper_test', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    yield executor
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown(context=context)


class Gripper:
    """A client, its driver and a clock."""

    def __init__(self, rig, executor):
        self.rig, self.executor, self.now_s = rig, executor, 0.0
        self.client = GripperClient(None, rig.profile, lambda: self.now_s, rig.port)
        self.spin_until(lambda: self.client.is_ready)

    def spin_until(self, done):
        for _ in range(600):
            if done():
                return
            self.executor.spin_once(timeout_sec=0.05)
        pytest.fail('nothing happened')

    def follow(self, opening, after_s=1.0):
        """Wish for an opening a while later, and let the driver answer."""
        self.now_s += after_s
        self.client.follow(opening)
        self.rig.settle()
        self.spin_until(lambda: self.client.report.outcome is not Outcome.MOVING)
        return self.client.report.outcome


@pytest.fixture(params=RIGS)
def gripper(request, executor, monkeypatch):
    node = executor.get_nodes()[0]
    rig = RIGS[request.param](node, PROFILE, request.param, monkeypatch)
    yield Gripper(rig, executor)
    rig.close()


def test_the_contract_of_every_gripper(gripper):
    rig = gripper.rig

    assert gripper.client.report.outcome is Outcome.NONE
    assert gripper.follow(0.9) is Outcome.REACHED
    # In between nothing changes, and what was sent is not sent again.
    assert gripper.follow(0.5) is gripper.follow(1.0) is Outcome.REACHED
    assert rig.fingers_m == pytest.approx([PROFILE.finger_open_m])
    rig.then = 'stalled'
    assert gripper.follow(0.3) is Outcome.GRASPED
    # At most one goal in half a second.
    assert gripper.follow(1.0, after_s=0.4) is Outcome.GRASPED
    assert gripper.follow(1.0, after_s=0.2) is Outcome.FAILED
    expected = [PROFILE.finger_open_m, PROFILE.finger_closed_m, PROFILE.finger_open_m]
    assert rig.fingers_m == pytest.approx(expected)
    # Somebody else may have moved it.
    rig.then = 'reached'
    gripper.client.forget()
    assert gripper.follow(1.0) is Outcome.REACHED
    assert gripper.follow(0.0) is Outcome.REACHED
    if not isinstance(rig, RIGS['interbotix']):  # whose driver cannot refuse
        rig.then = 'rejected'
        assert gripper.follow(1.0) is Outcome.REJECTED


class SilentPort:
    """A driver that keeps its answers until it is asked."""

    is_ready = True

    def __init__(self):
        self.answers = []

    def send(self, goal, answer):
        self.answers.append(answer)


def test_no_answer_is_a_timeout_and_late_answers_do_not_count():
    now_s, port = [0.0], SilentPort()
    client = GripperClient(None, PROFILE, lambda: now_s[0], port)

    client.follow(1.0)
    now_s[0] = 5.0
    client.follow(1.0)
    assert client.report.outcome is Outcome.MOVING
    now_s[0] = 6.0
    client.follow(1.0)

    assert client.report.outcome is Outcome.TIMED_OUT
    assert 'no result 6.0 s' in client.report.text
    port.answers[0](replace(client.report, outcome=Outcome.REACHED))
    assert client.report.outcome is Outcome.TIMED_OUT
    assert len(port.answers) == 1


def test_every_interface_of_a_profile_has_an_adapter_and_a_rig():
    assert set(PORTS) == set(GRIPPER_INTERFACES) == set(RIGS)


@pytest.mark.parametrize(
    ('interface', 'module'),
    [('franka', 'franka_msgs.action'), ('interbotix', 'interbotix_xs_msgs.msg')],
)
def test_missing_vendor_messages_are_named(interface, module):
    with pytest.raises(EnvironmentMissing, match=f'{interface} needs {module}: install'):
        make_port(None, replace(PROFILE, gripper_interface=interface))


def test_an_unknown_interface_is_refused_with_those_there_are():
    with pytest.raises(ConfigurationError, match=r"'pwm'; valid: \['follow_joint"):
        make_port(None, replace(PROFILE, gripper_interface='pwm'))
