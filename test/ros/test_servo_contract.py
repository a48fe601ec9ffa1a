"""Every Servo does for its adapter what the controller relies on.

The stand-in and a program with Humble's interface are started here; ``make test-moveit`` runs the
same against the servo_node of an installed MoveIt (MAGMA_TEST_SERVO=moveit).
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rclpy')

import rclpy  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from ruamel.yaml import YAML  # noqa: E402

from magma_ros.data_types import Pose, Twist  # noqa: E402
from magma_ros.errors import ConfigurationError, EnvironmentMissing  # noqa: E402
from magma_ros.motion.reason_codes import Reason  # noqa: E402
from magma_ros.robot.arm_profile import load_arm_profile  # noqa: E402
from magma_ros.robot.moveit_parameters import robot_description, servo_parameters  # noqa: E402
from magma_ros.ros import topics  # noqa: E402
from magma_ros.ros.arm_messages import joint_state_message, twist_from_message  # noqa: E402
from magma_ros.ros.process_environment import process_environment  # noqa: E402
from magma_ros.ros.servo_client import CommandMode  # noqa: E402
from magma_ros.ros.servo_finder import ServoFinder, wait_for_servo  # noqa: E402
from magma_ros.ros.servo_humble import HumbleServo  # noqa: E402
from magma_ros.ros.servo_jazzy import JazzyServo  # noqa: E402

pytestmark = pytest.mark.ros

PROGRAMS = Path(__file__).parent / 'programs'
PROFILE = load_arm_profile('wx250s')
KINEMATICS = PROFILE.kinematics()
PATIENCE_S = 60.0
PERIOD_S = 0.02
UPWARDS = Twist(np.array([0.0, 0.0, 0.05]), np.zeros(3))
SERVOS = ['moveit'] if os.environ.get('MAGMA_TEST_SERVO') == 'moveit' else ['stand_in', 'humble']


class Rig:
    """An arm that is at the end of each trajectory at once, and a client of the Servo."""

    def __init__(self, domain_id: int) -> None:
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self.node = rclpy.create_node('servo_contract', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self.joints = np.array(PROFILE.start_joints_rad)
        self.trajectories: list = []
        self.twists: list[Twist] = []
        self._dither = 1e-6
        self._states = topics.JOINT_STATES.publisher(self.node)
        topics.ARM_TRAJECTORY.subscribe(self.node, self._follow)
        topics.TWIST.subscribe(self.node, lambda m: self.twists.append(twist_from_message(m)))
        self.node.create_timer(0.01, self._publish_joints)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)

    def now_ns(self) -> int:
        return self.node.get_clock().now().nanoseconds

    def pose(self) -> Pose:
        return KINEMATICS.forward(self.joints)

    def speed(self) -> float:
        """Of the fastest joint in the newest point (rad/s)."""
        newest = self.trajectories[-1:]
        return max(
            (abs(v) for message in newest for v in message.points[-1].velocities), default=0
        )

    def until(self, is_so, do=lambda: None) -> None:
        """``do`` every period until something is so."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < deadline_s, 'waited in vain'
            do()
            time.sleep(PERIOD_S)

    def _follow(self, message) -> None:
        self.joints = np.array(message.points[-1].positions)
        self.trajectories.append(message)

    def _publish_joints(self) -> None:
        self._dither = -self._dither  # Servo waits for joint states that change
        names = (*PROFILE.joint_names, PROFILE.gripper_joint)
        positions = np.append(self.joints, PROFILE.finger_open_m)
        self._states.publish(
            joint_state_message(names, positions, 0 * positions + self._dither, self.now_ns())
        )

    def _spin(self) -> None:
        while not self._stopped.is_set():
            self._executor.spin_once(0.05)


def moveit_command(directory: Path) -> list[str]:
    """Starts MoveIt's servo_node with our parameters."""
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    programs = [Path(prefix) / 'lib/moveit_servo/servo_node' for prefix in prefixes if prefix]
    found = [program for program in programs if program.is_file()]
    if not found:
        pytest.fail(
            'MoveIt Servo is not here: no lib/moveit_servo/servo_node below AMENT_PREFIX_PATH. '
            'Install ros-<distro>-moveit-servo and source the installation.'
        )
    distro = os.environ.get('ROS_DISTRO', 'jazzy')
    parameters = servo_parameters(PROFILE, robot_description(PROFILE), distro)
    parameters['moveit_servo']['is_primary_planning_scene_monitor'] = True  # no move_group here
    file = directory / 'servo.yaml'
    YAML().dump({'/servo_node': {'ros__parameters': parameters}}, file)
    return [str(found[0]), '--ros-args', '--params-file', str(file)]


@pytest.fixture(scope='module', params=SERVOS)
def servo_rig(request, tmp_path_factory):
    """A Servo in a process of its own, the rig around it, and the adapter that was chosen."""
    domain_id = 20 + (os.getpid() + SERVOS.index(request.param)) % 80
    commands = {
        'stand_in': lambda: [sys.executable, '-m', 'magma_ros.nodes.servo_stand_in_node'],
        'humble': lambda: [sys.executable, str(PROGRAMS / 'humble_servo.py')],
        'moveit': lambda: moveit_command(tmp_path_factory.mktemp('servo')),
    }
    environment = process_environment(domain_id)
    before = dict(os.environ)
    os.environ.update(environment)
    process = subprocess.Popen(commands[request.param](), env=environment)
    rig = Rig(domain_id)
    servo = wait_for_servo(rig.node, PROFILE.base_link, PATIENCE_S)
    yield request.param, rig, servo
    rig.close()
    process.terminate()
    process.wait(timeout=30)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def ready(servo_rig):
    """Servo obeys twists, the arm is at its start, nothing was published yet."""
    _, rig, servo = servo_rig
    servo.select(CommandMode.TWIST)
    servo.resume()
    rig.until(lambda: servo.is_ready, servo.prepare)
    settle(rig)
    rig.joints = np.array(PROFILE.start_joints_rad)
    time.sleep(0.1)  # Servo has heard where the arm is
    return servo_rig


def settle(rig: Rig) -> None:
    """Until a fifth of a second has brought no trajectory."""
    counts = [-1]

    def is_quiet() -> bool:
        counts.append(len(rig.trajectories))
        return len(counts) > 11 and counts[-1] == counts[-11]

    rig.until(is_quiet)
    rig.trajectories.clear()
    rig.twists.clear()


def stream(rig: Rig, servo, twist: Twist = UPWARDS):
    return lambda: servo.send(twist, rig.now_ns())


def test_the_adapter_is_that_of_the_servo_that_is_there(servo_rig) -> None:
    kind, _, servo = servo_rig
    is_humble = kind == 'humble' or os.environ.get('ROS_DISTRO') == 'humble'

    assert isinstance(servo, HumbleServo if is_humble else JazzyServo)


def test_twists_move_the_arm_and_silence_ends_in_rest(ready) -> None:
    _, rig, servo = ready
    begin_m = rig.pose().translation_m

    rig.until(lambda: rig.pose().translation_m[2] > begin_m[2] + 0.02, stream(rig, servo))
    rig.until(lambda: rig.speed() < 0.001)
    settle(rig)

    moved = rig.pose().translation_m - begin_m
    assert 0.02 < moved[2] < 0.05
    assert np.abs(moved[:2]).max() < 0.003
    assert servo.status_name == 'NO_WARNING'
    assert servo.reason is None


def test_a_twist_that_is_not_finite_is_refused_and_named(ready) -> None:
    _, rig, servo = ready
    bad = Twist(np.array([np.nan, 0.0, 0.0]), np.zeros(3))

    rig.until(lambda: servo.status_name == 'INVALID', stream(rig, servo, bad))

    assert servo.reason is Reason.SERVO
    assert not rig.trajectories
    rig.until(lambda: servo.status_name == 'NO_WARNING', stream(rig, servo))


def test_a_pause_comes_after_a_ramp_and_commands_have_no_effect_in_it(ready) -> None:
    _, rig, servo = ready
    rig.until(lambda: rig.speed() > 0.05, stream(rig, servo))

    servo.pause()
    assert not servo.is_ready
    rig.until(lambda: servo.is_paused, stream(rig, servo))
    time.sleep(0.1)
    count = len(rig.trajectories)
    for _ in range(10):
        stream(rig, servo)()
        time.sleep(PERIOD_S)

    assert rig.speed() < 0.001
    assert len(rig.trajectories) == count
    zeros = [twist for twist in rig.twists if not twist.linear_m_s.any()]
    assert len(zeros) >= 10
    servo.resume()
    rig.until(lambda: servo.is_ready)
    rig.until(lambda: len(rig.trajectories) > count, stream(rig, servo))


def test_poses_are_walked_to_in_small_steps(ready) -> None:
    kind, rig, servo = ready
    if isinstance(servo, HumbleServo):
        with pytest.raises(ConfigurationError, match='takes no pose stream'):
            servo.select(CommandMode.POSE)
        return
    here = rig.pose()
    goal = Pose(here.translation_m + [0.0, 0.0, 0.03], here.quaternion_xyzw)

    servo.select(CommandMode.POSE)
    rig.until(lambda: servo.is_ready)
    heights = []

    def send() -> None:
        servo.send_pose(goal, rig.pose(), rig.now_ns())
        heights.append(rig.pose().translation_m[2])

    rig.until(lambda: len(heights) > 60 and abs(heights[-1] - goal.translation_m[2]) < 1e-3, send)

    assert max(heights) < goal.translation_m[2] + 0.008  # jumps overshoot by 17 mm and swing
    assert rig.pose().translation_m == pytest.approx(goal.translation_m, abs=0.004)


def test_without_any_servo_the_error_says_what_was_looked_for() -> None:
    rig = Rig(20 + (os.getpid() + 7) % 80)
    try:
        finder = ServoFinder(rig.node, PROFILE.base_link)
        finder.prepare()

        assert not finder.is_ready
        with pytest.raises(EnvironmentMissing, match='switch_command_type.*start_servo'):
            wait_for_servo(rig.node, PROFILE.base_link, 0.1)
    finally:
        rig.close()
