"""Home through controller, Servo stand-in and simulated arm, and what stops it on its way."""

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

    def __init__(self, domain_id, check):
        super().__init__(domain_id, check)
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

    def arm(self):
        assert self.wait_for(lambda: self.ask('arm')[0], PATIENCE_S), self.state

    def is_resting(self, seconds=0.5):
        before = self.joints
        self.spin(seconds)
        return self.is_at(before, 1e-3)

    def _take_joints(self, message):
        self.joints = joints_from_message(message, PROFILE.joint_names)[0]


def test_home_and_what_stops_it(domain_id):
    with (
        NodeProcesses(PROGRAMS, {'controller_node': ALONE}, domain_id) as nodes,
        Witness(domain_id, nodes.check) as operator,
    ):
        assert not operator.home()[0], 'moved a disarmed arm'
        operator.move_aside()
        operator.arm()

        granted, text = operator.home()

        assert granted, text
        assert operator.is_at(HOME)
        assert operator.state['planned'] == 'arrived at home'
        assert operator.ask('retreat')[0]
        assert not operator.is_at(HOME, 0.1)
        assert operator.ask('start')[0], 'Servo was not given back'
        assert not operator.ask('home')[0], 'a planned motion took the arm from the policy'

        for request, mode in (('estop', 'estop'), ('disarm', 'disarmed')):
            operator.ask('clear' if operator.state['mode'] == 'estop' else 'disarm')
            operator.move_aside()
            operator.arm()
            asked = ask_on_the_way(domain_id, nodes.check, operator, request)
            assert asked['home'][0] is False
            assert operator.wait_for(lambda mode=mode: operator.state['mode'] == mode, PATIENCE_S)
            assert operator.wait_for(operator.is_resting, PATIENCE_S)
            assert not operator.is_at(HOME, 0.1), f'{request} did not stop the arm'
            assert operator.wait_for(lambda: operator.state['at_rest'] == 'true', PATIENCE_S)


def ask_on_the_way(domain_id, check, operator, request):
    """Home in one thread, the request in another once the arm has moved; home's answer."""
    asked = {}

    def go_home():
        with OperatorClient(domain_id, check) as other:
            asked['home'] = other.home()

    thread = threading.Thread(target=go_home)
    thread.start()
    assert operator.wait_for(lambda: not operator.is_at(ASIDE, 0.1), PATIENCE_S)
    assert operator.state['mode'] == 'planned'
    operator.ask(request)
    thread.join()
    return asked
