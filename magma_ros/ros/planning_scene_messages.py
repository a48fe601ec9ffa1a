"""The planning scene as move_group takes it."""

from __future__ import annotations

from collections.abc import Sequence

from geometry_msgs.msg import Pose as PoseMessage
from moveit_msgs.msg import CollisionObject, PlanningScene
from shape_msgs.msg import SolidPrimitive

from magma_ros.robot.planning_scene import SceneBox


def scene_message(boxes: Sequence[SceneBox], base_link: str) -> PlanningScene:
    """A difference that adds the boxes; objects of the same name are replaced."""
    scene = PlanningScene(is_diff=True)
    scene.robot_state.is_diff = True
    scene.world.collision_objects = [_collision_object(box, base_link) for box in boxes]
    return scene


def _collision_object(box: SceneBox, base_link: str) -> CollisionObject:
    pose, at_its_pose = PoseMessage(), PoseMessage()
    pose.position.x, pose.position.y, pose.position.z = map(float, box.centre_in_base_m)
    pose.orientation.w = at_its_pose.orientation.w = 1.0
    shape = SolidPrimitive(type=SolidPrimitive.BOX, dimensions=list(map(float, box.size_m)))
    message = CollisionObject(
        id=box.name,
        pose=pose,
        primitives=[shape],
        primitive_poses=[at_its_pose],
        operation=CollisionObject.ADD,
    )
    message.header.frame_id = base_link
    return message
