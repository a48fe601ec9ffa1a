"""A simulated WidowX, table and camera in real time, behind the interfaces of the hardware."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from rclpy.node import Node
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage

from magma_ros.errors import MagmaError
from magma_ros.nodes.sim_arm import SimArm
from magma_ros.nodes.sim_camera_stream import SimCameraStream
from magma_ros.nodes.sim_scenario import ScenarioParameters, describe_outcome, scenario_from
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.ros import topics
from magma_ros.ros.arm_messages import transform_to_message
from magma_ros.ros.deadline_loop import DeadlineLoop
from magma_ros.ros.node_process import run_node
from magma_ros.ros.parameters import declare_parameters, parameter, read_parameters
from magma_ros.ros.status_messages import (
    diagnostics_message,
    heartbeat_message,
    status_message,
)
from magma_ros.sim.live_table import LiveTable

CATCH_UP_TICKS = 5  # more steps at once would make joint states jump


@dataclass(frozen=True)
class SimParameters(ScenarioParameters):
    """The table, and how fast it is looked at."""

    arm: str = parameter('wx250s', 'arm profile, a file of config/arms')
    physics_hz: float = parameter(100.0, 'of joint states and targets', 'Hz', 50.0, 500.0)
    colour_hz: float = parameter(15.0, 'of colour pictures', 'Hz', 1.0, 60.0)
    depth_hz: float = parameter(5.0, 'of aligned depth', 'Hz', 0.5, 60.0)
    pretty: bool = parameter(False, 'shadows and reflections; three times the rendering time')


class SimNode(Node):
    """See the table in ``ros/topics.py`` for its topics and services."""

    def __init__(self) -> None:
        super().__init__('sim_node', automatically_declare_parameters_from_overrides=True)
        self._set = declare_parameters(self, SimParameters)
        self._profile = load_arm_profile(self._set.arm)
        self._table = LiveTable(self._profile, scenario_from(self._set))
        self._transforms = topics.TRANSFORMS.publisher(self)
        self._outcomes = topics.SIM_OUTCOME.publisher(self)
        self._diagnostics = topics.DIAGNOSTICS.publisher(self)
        self._heartbeat = topics.heartbeat_topic(self.get_name()).publisher(self)
        self._arm = SimArm(self, self._table, self._profile)
        self.create_service(Trigger, topics.SIM_RESET.name, self._on_reset)
        self.create_timer(0.1, self._on_tenth)
        self.create_timer(1.0, self._on_second)
        self._began_s, self._advanced, self._dropped_s = time.monotonic(), 0, 0.0
        self._loop = DeadlineLoop('physics', 1.0 / self._set.physics_hz, self._tick)
        self._loop.start()
        self._stream = SimCameraStream(
            self,
            self._table,
            self._profile,
            self._set.colour_hz,
            self._set.depth_hz,
            self._set.pretty,
        )
        self._publish_outcome()

    @property
    def has_failed(self) -> bool:
        """Whether physics or rendering has died."""
        if self._stream.fault is not None:
            self.get_logger().fatal(self._stream.fault, once=True)
        return not (self._loop.is_alive and self._stream.is_alive)

    def close(self) -> None:
        """Stop the threads."""
        self._stream.stop()
        self._loop.stop()

    def _tick(self) -> None:
        period_s = 1.0 / self._set.physics_hz
        behind = int((time.monotonic() - self._began_s) / period_s) - self._advanced
        for _ in range(min(max(behind, 1), CATCH_UP_TICKS)):
            if self._table.advance(period_s):
                self._publish_outcome()
        if behind > CATCH_UP_TICKS:  # too slow for real time: time stretches
            self._dropped_s += (behind - CATCH_UP_TICKS) * period_s
        self._advanced += max(behind, 1)
        self._arm.publish_joints()

    def _on_reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        try:
            scenario = scenario_from(read_parameters(self, SimParameters))
            self._table.reset(scenario)
        except MagmaError as error:
            response.message = str(error)
            return response
        response.success, response.message = True, scenario.instruction
        self._publish_outcome()
        return response

    def _publish_outcome(self) -> None:
        self._outcomes.publish(describe_outcome(self._table.outcome()))

    def _on_tenth(self) -> None:
        now_ns = self.get_clock().now().nanoseconds
        if self._loop.is_alive and self._stream.is_alive:
            self._heartbeat.publish(heartbeat_message(self.get_name(), now_ns))
        pose = self._table.arm_state(now_ns).pose_gripper_in_base
        base, tip = self._profile.base_link, self._profile.tip_link
        self._transforms.publish(
            TFMessage(transforms=[transform_to_message(pose, base, tip, now_ns)])
        )
        self._publish_outcome()

    def _on_second(self) -> None:
        physics, camera = self._loop.lateness(), self._stream.lateness
        values = {
            'physics_late_p99_ms': physics.p99_ms,
            'physics_dropped_s': self._dropped_s,
            'camera_late_p99_ms': camera.p99_ms,
            'pictures_missed': camera.missed,
        }
        status = status_message('sim', 'running', values)
        now_ns = self.get_clock().now().nanoseconds
        self._diagnostics.publish(diagnostics_message(status, now_ns))


def main() -> int:
    """Run the simulation until SIGINT or SIGTERM."""
    return run_node(SimNode)


if __name__ == '__main__':
    sys.exit(main())
