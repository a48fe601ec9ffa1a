"""Home through controller, Servo stand-in and simulated arm, and what stops it on its way."""

import os
import signal
import threading

import numpy as np
import pytest

pytest.importorskip('rclpy')

from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint  # noqa: E402

from magma_ros.nodes.node_processes import DEMO_PROGRAMS, NodeProcesses  # noqa: E402
from magma_ros.robot.arm_profile import load_arm_profile  # noqa: E402
from magma_ros.ros import topics  # noqa: E402
from magma_ros.ros.arm_messages import joints_from_message  # noqa: E402
from magma_ros.ros.operator_client import OperatorClient  # noqa: E402
from magma_ros.ros.time_stamps import duration_from_s  # noqa: E402

pytestmark = pytest.mark.ros
PROFILE = load_arm_profile('wx250s')
HOME = np.array(PROFILE.start_joints_rad)
ASIDE = HOME + [0.55, 0.0, 0.0, 0.0, 0.0, 0.0]
PATIENCE_S = 60.0
PROGRAMS = [
    program
    for program in DEMO_PROGRAMS
    if program.name in ('sim_node', 'servo_stand_in_node', 'controller_node')
]
ALONE = {  # and patient, because the machine may be busy
    'joints_hold_s': 1.0,
    'joints_stop_s': 2.0,
    'overrun_hold_s': 1.0,
    'overrun_stop_s': 2.0,
    'require_perception': False,
    'require_supervisor': False,
    'waived_checks': 'calibration,camera,transforms,kinematics,model_hash,model_warm,clock',
}


class Witness(OperatorClient):
    """An operator who also moves the arm aside and sees where it is."""

    def __init__(self, domain_id):
        super().__init__(domain_id)
        self.joints = HOME
        topics.JOINT_STATES.subscribe(self._node, self._take_joints)
        self._trajectories = topics.ARM_TRAJECTORY.publisher(self._node)

    def is_at(self, joints, within_rad=0.03):
        return bool(np.abs(self.joints - joints).max() < within_rad)

    def move_aside(self):
        """As a person would who pushes a disarmed arm, once Servo has fallen silent."""
        self.spin(0.5)
        self.wait_for(lambda: self._trajectories.get_subscription_count() > 0, PATIENCE_S)
        point = JointTrajectoryPoint(positions=list(ASIDE), time_from_start=duration_from_s(1.0))
        names = list(PROFILE.joint_names)
        self._trajectories.publish(JointTrajectory(joint_names=names, points=[point]))
        assert self.wait_for(lambda: self.is_at(ASIDE), PATIENCE_S)

    def insist(self, request):
        """Until it is granted: a busy machine holds the arm now and then."""
        assert self.wait_for(lambda: self.ask(request)[0], PATIENCE_S), (request, self.state)

    def is_resting(self, seconds=0.5):
        before = self.joints
        self.spin(seconds)
        return self.is_at(before, 1e-3)

    def _take_joints(self, message):
        self.joints = joints_from_message(message, PROFILE.joint_names)[0]


def test_home_and_what_stops_it(domain_id):
    with (
        NodeProcesses(PROGRAMS, {'controller_node': ALONE}, domain_id) as nodes,
        Witness(domain_id) as operator,
    ):
        assert not operator.home()[0], 'moved a disarmed arm'
        operator.move_aside()
        operator.insist('arm')

        operator.insist('home')

        assert operator.is_at(HOME)
        assert operator.state['planned'] == 'arrived at home'
        operator.insist('retreat')
        assert not operator.is_at(HOME, 0.1)
        operator.insist('start')  # Servo was given back
        assert not operator.ask('home')[0], 'a planned motion took the arm from the policy'

        operator.insist('disarm')
        stop_on_the_way(operator, domain_id, 'estop', lambda: operator.ask('estop'))
        assert operator.wait_for(lambda: operator.state['at_rest'] == 'true', PATIENCE_S)
        operator.insist('clear')
        controller = nodes.pids['controller_node']
        stop_on_the_way(
            operator, domain_id, 'finalized', lambda: os.kill(controller, signal.SIGTERM)
        )


def stop_on_the_way(operator, domain_id, mode, stop):
    """Home in one thread, ``stop`` in this one once the arm has moved: it rests where it is."""
    operator.move_aside()
    operator.insist('arm')
    answers = []

    def go_home():
        with OperatorClient(domain_id) as other:
            answers.append(other.home()[0])

    thread = threading.Thread(target=go_home)
    thread.start()
    assert operator.wait_for(lambda: not operator.is_at(ASIDE, 0.1), PATIENCE_S)
    assert operator.state['mode'] == 'planned'
    stop()
    thread.join()

    assert answers == [False]
    assert operator.wait_for(lambda: operator.state['mode'] == mode, PATIENCE_S)
    assert operator.wait_for(operator.is_resting, PATIENCE_S)
    assert not operator.is_at(HOME, 0.1), f'the arm went home in {mode}'
