"""An arm that is where it is told to be: serves FollowJointTrajectory and publishes /tf."""

import rclpy
from control_msgs.action import FollowJointTrajectory
from geometry_msgs.msg import TransformStamped
from rclpy.action import ActionServer
from tf2_msgs.msg import TFMessage

rclpy.init()
node = rclpy.create_node('stand_in_arm')


def execute(goal):
    trajectory = goal.request.trajectory
    feedback = FollowJointTrajectory.Feedback(joint_names=trajectory.joint_names)
    for index, point in enumerate(trajectory.points):
        feedback.index = index
        feedback.actual = point
        goal.publish_feedback(feedback)
    goal.succeed()
    return FollowJointTrajectory.Result(
        error_code=FollowJointTrajectory.Result.SUCCESSFUL,
        error_string=f'{len(trajectory.points)} points to {goal.request.goal_tolerance[0].name}',
    )


server = ActionServer(node, FollowJointTrajectory, 'follow_joint_trajectory', execute)
publisher = node.create_publisher(TFMessage, '/tf', 10)
transform = TransformStamped(child_frame_id='gripper')
transform.header.frame_id = 'base'
transform.transform.translation.z = 0.25
node.create_timer(0.05, lambda: publisher.publish(TFMessage(transforms=[transform])))
while rclpy.ok():
    rclpy.spin_once(node, timeout_sec=1.0)
