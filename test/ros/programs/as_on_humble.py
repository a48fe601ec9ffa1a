"""Imports all there is without the message types that Humble lacks, then meets Humble's Servo."""

import importlib
import pkgutil
import sys

import control_msgs.action
import moveit_msgs.msg
import moveit_msgs.srv

del control_msgs.action.ParallelGripperCommand
del moveit_msgs.msg.ServoStatus, moveit_msgs.srv.ServoCommandType

import rclpy  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

import magma_ros.nodes  # noqa: E402
import magma_ros.ros  # noqa: E402

NOT_ON_PYPI = ('launch', 'launch_ros')

for package in (magma_ros.ros, magma_ros.nodes):
    for module in pkgutil.iter_modules(package.__path__, f'{package.__name__}.'):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split('.')[0] not in NOT_ON_PYPI:
                raise

from magma_ros.errors import EnvironmentMissing  # noqa: E402
from magma_ros.nodes.servo_stand_in_node import ServoStandInNode  # noqa: E402
from magma_ros.robot.arm_profile import load_arm_profile  # noqa: E402
from magma_ros.ros.gripper_client import make_port  # noqa: E402
from magma_ros.ros.servo_finder import ServoFinder, offered_servo  # noqa: E402
from magma_ros.ros.servo_humble import SERVICES, HumbleServo  # noqa: E402

rclpy.init()
node = rclpy.create_node('servo_node')
for service in SERVICES.values():
    node.create_service(Trigger, service, lambda _, response: response)
finder = ServoFinder(node, 'base_link')
while offered_servo(node) is None:
    rclpy.spin_once(node, timeout_sec=0.1)
finder.prepare()
assert isinstance(finder._found, HumbleServo)

for make in (ServoStandInNode, lambda: make_port(node, load_arm_profile('wx250s'))):
    try:
        make()
    except EnvironmentMissing as error:
        sys.stdout.write(f'{error}\n')
    else:
        sys.exit('what Humble lacks was not missed')
rclpy.shutdown()
