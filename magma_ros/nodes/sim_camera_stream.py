"""Renders and publishes the simulated camera in a thread of its own, from copies of the state."""

from __future__ import annotations

from rclpy.node import Node
from tf2_msgs.msg import TFMessage

from magma_ros.errors import EnvironmentMissing
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.ros import topics
from magma_ros.ros.arm_messages import transform_to_message
from magma_ros.ros.camera_messages import camera_to_message, depth_to_message, image_to_message
from magma_ros.ros.deadline_loop import DeadlineLoop, Lateness
from magma_ros.sim.camera import OPTICAL_FRAME, SimCamera
from magma_ros.sim.live_table import LiveTable
from magma_ros.sim.world import World


class SimCameraStream:
    """Colour at ``colour_hz``, aligned depth every few pictures, its pose on /tf_static."""

    def __init__(
        self,
        node: Node,
        table: LiveTable,
        profile: ArmProfile,
        colour_hz: float,
        depth_hz: float,
        pretty: bool,
    ) -> None:
        self._node, self._table, self._base_link = node, table, profile.base_link
        self._pictures_per_depth = max(1, round(colour_hz / depth_hz))
        self._pretty = pretty
        self._world = World(profile)  # what is drawn; the physics goes on in its own
        self._camera: SimCamera | None = None
        self._episode = self._pictures = 0
        self.fault: str | None = None
        names = topics.camera_topics()
        self._publishers = {name: topic.publisher(node) for name, topic in names.items()}
        self._transforms = topics.STATIC_TRANSFORMS.publisher(node)
        self._loop = DeadlineLoop('camera', 1.0 / colour_hz, self._tick)
        self._loop.start()

    @property
    def is_alive(self) -> bool:
        """Whether pictures are still made."""
        return self._loop.is_alive

    @property
    def lateness(self) -> Lateness:
        """How late pictures were begun."""
        return self._loop.lateness()

    def stop(self) -> None:
        """No more pictures."""
        self._loop.stop()

    def _tick(self) -> None:
        camera = self._camera = self._camera or self._open()
        stamp_ns = self._node.get_clock().now().nanoseconds
        episode = self._table.copy_to(self._world)
        if episode != self._episode and self._world.scene is not None:
            self._episode = episode
            camera.place(self._world.scene)
            self._publish_pose(camera, stamp_ns)
        self._pictures += 1
        if self._is_wanted('colour'):
            self._publish('colour', image_to_message(camera.render(stamp_ns)), camera, stamp_ns)
        if self._pictures % self._pictures_per_depth == 0 and self._is_wanted('depth'):
            depth = depth_to_message(camera.render_depth(stamp_ns), OPTICAL_FRAME)
            self._publish('depth', depth, camera, stamp_ns)

    def _open(self) -> SimCamera:
        # An OpenGL context belongs to the thread that made it.
        try:
            return SimCamera(self._world, self._pretty)
        except EnvironmentMissing as error:
            self.fault = str(error)
            raise SystemExit from error

    def _is_wanted(self, name: str) -> bool:
        return self._publishers[name].get_subscription_count() > 0

    def _publish(self, name: str, picture: object, camera: SimCamera, stamp_ns: int) -> None:
        self._publishers[name].publish(picture)
        info = camera_to_message(camera.model(), stamp_ns, OPTICAL_FRAME)
        self._publishers[f'{name}_info'].publish(info)

    def _publish_pose(self, camera: SimCamera, stamp_ns: int) -> None:
        pose = camera.model().pose_camera_in_base
        transform = transform_to_message(pose, self._base_link, OPTICAL_FRAME, stamp_ns)
        self._transforms.publish(TFMessage(transforms=[transform]))
