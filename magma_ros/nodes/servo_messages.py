"""Between the messages of MoveIt Servo's topics and the records of the stand-in.

Times are seconds after ``epoch_ns``, an instant of the ROS clock.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from control_msgs.msg import JointJog
from geometry_msgs.msg import PoseStamped, TwistStamped
from std_msgs.msg import Header
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from magma_ros.data_types import Pose
from magma_ros.ros.arm_messages import twist_from_message
from magma_ros.ros.time_stamps import duration_from_s, stamp_from_ns, stamp_to_ns
from magma_ros.sim.servo_records import JogCommand, JointPoint, PoseCommand, TwistCommand


def twist_command(message: TwistStamped, epoch_ns: int) -> TwistCommand:
    """A twist in the axes of its frame."""
    stamp_s = _seconds(message.header, epoch_ns)
    return TwistCommand(twist_from_message(message), message.header.frame_id, stamp_s)


def pose_command(message: PoseStamped, epoch_ns: int) -> PoseCommand:
    """Where the tip is to be."""
    place, turn = message.pose.position, message.pose.orientation
    pose = Pose(np.array([place.x, place.y, place.z]), np.array([turn.x, turn.y, turn.z, turn.w]))
    return PoseCommand(pose, message.header.frame_id, _seconds(message.header, epoch_ns))


def jog_command(message: JointJog, epoch_ns: int) -> JogCommand:
    """Joint velocities; displacements are ignored, as Servo does."""
    stamp_s = _seconds(message.header, epoch_ns)
    return JogCommand(tuple(message.joint_names), tuple(message.velocities), stamp_s)


def trajectory_message(
    joint_names: Sequence[str], points: Sequence[JointPoint], epoch_ns: int
) -> JointTrajectory:
    """Stamped with the time of the first point."""
    begin_s = points[0].time_s
    message = JointTrajectory(joint_names=list(joint_names))
    message.header.stamp = stamp_from_ns(epoch_ns + round(begin_s * 1e9))
    message.points = [
        JointTrajectoryPoint(
            positions=point.positions_rad.tolist(),
            velocities=point.velocities_rad_s.tolist(),
            time_from_start=duration_from_s(point.time_s - begin_s),
        )
        for point in points
    ]
    return message


def _seconds(header: Header, epoch_ns: int) -> float:
    return (stamp_to_ns(header.stamp) - epoch_ns) * 1e-9
