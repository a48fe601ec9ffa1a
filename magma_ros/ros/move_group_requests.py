"""The requests a move_group is sent, and what its error codes mean."""

from __future__ import annotations

from collections.abc import Sequence

from geometry_msgs.msg import Pose as PoseMessage
from moveit_msgs.action import MoveGroup
from moveit_msgs.msg import (
    BoundingVolume,
    Constraints,
    JointConstraint,
    MoveItErrorCodes,
    OrientationConstraint,
    PositionConstraint,
    RobotState,
)
from moveit_msgs.srv import GetCartesianPath
from sensor_msgs.msg import JointState
from shape_msgs.msg import SolidPrimitive

from magma_ros.data_types import FloatArray, Pose
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.ros.arm_messages import pose_to_message
from magma_ros.ros.motion_planner import scalings

JOINT_TOLERANCE_RAD = 1e-3
POSITION_TOLERANCE_M = 1e-3
ROTATION_TOLERANCE_RAD = 1e-2
PLANNING_S = 5.0
ATTEMPTS = 5
LINE_STEP_M = 0.005
NAMES = {
    value: name
    for name in dir(MoveItErrorCodes)
    if name.isupper() and isinstance(value := getattr(MoveItErrorCodes, name), int)
}


def explain(error: MoveItErrorCodes) -> str:
    """What went wrong, as far as move_group tells."""
    name = NAMES.get(error.val, f'error {error.val}')
    # Neither text exists in Humble.
    said = ' '.join(filter(None, (getattr(error, 'source', ''), getattr(error, 'message', ''))))
    if error.val != MoveItErrorCodes.FAILURE or said:
        return f'{name} {said}'.rstrip()
    return (
        'FAILURE without a reason, which move_group says of everything: its log knows. Usual are '
        'a goal out of reach or in collision, a start in collision or out of bounds, and an '
        'unknown group or pipeline'
    )


def robot_state(profile: ArmProfile, joints_rad: FloatArray) -> RobotState:
    """The arm at these joints, all else as move_group knows it."""
    joints = JointState(name=list(profile.joint_names), position=joints_rad.tolist())
    return RobotState(joint_state=joints, is_diff=True)


def joint_goal(joints_rad: FloatArray, profile: ArmProfile) -> Constraints:
    """Every joint at its place."""
    return Constraints(
        joint_constraints=[
            JointConstraint(
                joint_name=name,
                position=float(position),
                tolerance_above=JOINT_TOLERANCE_RAD,
                tolerance_below=JOINT_TOLERANCE_RAD,
                weight=1.0,
            )
            for name, position in zip(profile.joint_names, joints_rad, strict=True)
        ]
    )


def pose_goal(pose_tip_in_base: Pose, profile: ArmProfile) -> Constraints:
    """The tip link within a small sphere, turned as wanted."""
    goal = pose_to_message(pose_tip_in_base, 0, profile.base_link)
    centre = PoseMessage(position=goal.pose.position)
    centre.orientation.w = 1.0
    ball = SolidPrimitive(type=SolidPrimitive.SPHERE, dimensions=[POSITION_TOLERANCE_M])
    region = BoundingVolume(primitives=[ball], primitive_poses=[centre])
    return Constraints(
        position_constraints=[
            PositionConstraint(
                header=goal.header,
                link_name=profile.tip_link,
                constraint_region=region,
                weight=1.0,
            )
        ],
        orientation_constraints=[
            OrientationConstraint(
                header=goal.header,
                orientation=goal.pose.orientation,
                link_name=profile.tip_link,
                absolute_x_axis_tolerance=ROTATION_TOLERANCE_RAD,
                absolute_y_axis_tolerance=ROTATION_TOLERANCE_RAD,
                absolute_z_axis_tolerance=ROTATION_TOLERANCE_RAD,
                weight=1.0,
            )
        ],
    )


def plan_request(
    goal: Constraints, profile: ArmProfile, start_joints_rad: FloatArray
) -> MoveGroup.Goal:
    """Plan, but do not execute: what is executed is checked first."""
    message = MoveGroup.Goal()
    request, options = message.request, message.planning_options
    request.start_state = robot_state(profile, start_joints_rad)
    request.goal_constraints = [goal]
    request.group_name = profile.planning_group
    request.num_planning_attempts, request.allowed_planning_time = ATTEMPTS, PLANNING_S
    velocity, acceleration = scalings(profile)
    request.max_velocity_scaling_factor = velocity
    request.max_acceleration_scaling_factor = acceleration
    options.plan_only = True
    options.planning_scene_diff.is_diff = options.planning_scene_diff.robot_state.is_diff = True
    return message


def line_request(
    poses_tip_in_base: Sequence[Pose], profile: ArmProfile, start_joints_rad: FloatArray
) -> GetCartesianPath.Request:
    """Straight lines through the poses."""
    request = GetCartesianPath.Request(
        start_state=robot_state(profile, start_joints_rad),
        group_name=profile.planning_group,
        link_name=profile.tip_link,
        waypoints=[pose_to_message(p, 0, profile.base_link).pose for p in poses_tip_in_base],
        max_step=LINE_STEP_M,
        avoid_collisions=True,
    )
    request.header.frame_id = profile.base_link
    if hasattr(request, 'max_velocity_scaling_factor'):  # not in Humble
        velocity, acceleration = scalings(profile)
        request.max_velocity_scaling_factor = velocity
        request.max_acceleration_scaling_factor = acceleration
    return request
