"""Humble's interface of MoveIt Servo around the stand-in: Triggers, Int8, single points."""

import signal

import rclpy
from geometry_msgs.msg import TwistStamped
from sensor_msgs.msg import JointState
from std_msgs.msg import Int8
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from magma_ros.nodes.servo_messages import trajectory_message, twist_command
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.ros import topics
from magma_ros.ros.arm_messages import joints_from_message
from magma_ros.sim.servo_records import CommandType
from magma_ros.sim.servo_setup import make_stand_in

NUMBERS = {-1: -1, 0: 0, 1: 1, 2: 2, 3: 6, 4: 3, 5: 4, 6: 5}  # Jazzy's to Humble's
PERIOD_S = 0.02

rclpy.init()
node = rclpy.create_node('servo_node')
profile = load_arm_profile('wx250s')
servo = make_stand_in(profile)
epoch_ns = node.get_clock().now().nanoseconds
joints = []


def take_joints(message: JointState) -> None:
    joints[:] = [joints_from_message(message, profile.joint_names)[0]]


def serve(name, act) -> None:
    def answer(_, response):
        act()
        response.success = True
        return response

    node.create_service(Trigger, f'/servo_node/{name}', answer)


def tick() -> None:
    if not joints:
        return
    now_s = (node.get_clock().now().nanoseconds - epoch_ns) * 1e-9
    output = servo.tick(now_s, joints[0])
    if output.status is not None:
        statuses.publish(Int8(data=NUMBERS[output.status]))
    if output.points:
        message = trajectory_message(profile.joint_names, output.points[-1:], epoch_ns)
        message.header.stamp.sec = message.header.stamp.nanosec = 0  # as Humble does
        trajectories.publish(message)


statuses = node.create_publisher(Int8, topics.SERVO_STATUS.name, 10)
trajectories = node.create_publisher(JointTrajectory, topics.ARM_TRAJECTORY.name, 10)
topics.JOINT_STATES.subscribe(node, take_joints)
node.create_subscription(
    TwistStamped,
    topics.TWIST.name,
    lambda message: servo.receive(twist_command(message, epoch_ns)),
    10,
)
serve('start_servo', lambda: servo.switch_command_type(CommandType.TWIST))
serve('pause_servo', lambda: servo.pause(True))
serve('unpause_servo', lambda: servo.pause(False))
node.create_timer(PERIOD_S, tick)
signal.signal(signal.SIGTERM, lambda *_: rclpy.try_shutdown())
while rclpy.ok():
    rclpy.spin_once(node, timeout_sec=1.0)
