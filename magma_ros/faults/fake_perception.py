"""A scripted policy in the place of perception: what it sends is good, wrong, late or nothing."""

from __future__ import annotations

import random
import sys
import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import JointState

from magma_ros.data_types import DeltaChunk
from magma_ros.faults.faulty_chunks import FAULTY_CHUNKS
from magma_ros.faults.guard import check_allowed
from magma_ros.faults.rig_commands import CommandServer
from magma_ros.faults.scripted_policy import ScriptedPolicy
from magma_ros.latest_value import LatestValue
from magma_ros.model.action_model import ModelIdentity
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.ros import topics
from magma_ros.ros.arm_messages import joints_from_message
from magma_ros.ros.chunk_messages import ActionInfo, chunk_to_message, info_to_message
from magma_ros.ros.node_process import run_node
from magma_ros.ros.status_messages import heartbeat_message, status_message

NAME = 'perception_node'
PERIOD_S = 0.2
LOSS, LATEST_S, TWICE = 0.3, 0.2, 0.1  # of a bad network: lost, delayed up to, sent again
MODEL = ModelIdentity('scripted', '0' * 64)


class FakePerception(Node):
    """Chunks, their companions, and signs of life."""

    def __init__(self) -> None:
        check_allowed()
        super().__init__(NAME)
        self._profile = load_arm_profile('wx250s')
        self._kinematics = self._profile.kinematics()
        home = self._kinematics.forward(np.array(self._profile.start_joints_rad))
        self._policy = ScriptedPolicy(home.translation_m)
        self._joints: LatestValue[JointState] = LatestValue()
        self._sequence = time.time_ns() // 1_000_000  # above that of a process before
        self._lock = threading.Lock()  # of what is sent: loop, commands
        self._sending_s, self._speaks = PERIOD_S, True
        self._shift_ns, self._network, self._source = 0, False, 'policy'
        self._chance = random.Random(0)
        topics.JOINT_STATES.subscribe(self, lambda m: self._joints.put(m, time.monotonic()))
        self._chunks = topics.ACTION_CHUNK.publisher(self)
        self._infos = topics.ACTION_INFO.publisher(self)
        self._state = topics.PERCEPTION_STATE.publisher(self)
        self._heartbeat = topics.heartbeat_topic(NAME).publisher(self)
        self.create_timer(0.1, self._on_tenth)
        self._commands = CommandServer(
            {'policy': self._set_policy, 'send': self._send, 'burst': self._burst}
        )
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name='policy', daemon=True)
        self._thread.start()
        self._commands.start()

    @property
    def has_failed(self) -> bool:
        """Whether the policy has died or the runner has gone."""
        return not (self._thread.is_alive() and self._commands.is_alive)

    def close(self) -> None:
        """Stop."""
        self._stopped.set()

    # -------------------------------------------------------------------------------- commands

    def _set_policy(
        self,
        wish: str,
        direction: tuple[float, ...] = (0.0,) * 6,
        period_s: float = PERIOD_S,
        shift_s: float = 0.0,
        network: bool = False,
        source: str = 'policy',
    ) -> None:
        """What it wants from now on; ``silent`` sends no chunks but lives."""
        with self._lock:
            self._policy.wish, self._policy.direction = wish, tuple(direction)
            self._speaks, self._sending_s = wish != 'silent', period_s
            self._shift_ns, self._network, self._source = round(shift_s * 1e9), network, source

    def _send(self, kinds: list[str], every_s: float = 0.05) -> dict[str, Any]:
        """Faulty chunks in the place of the good ones; when the first and the last went out."""
        sent_s = []
        with self._lock:
            for kind in kinds:
                chunk = FAULTY_CHUNKS[kind](self._next_chunk())
                sent_s.append(time.monotonic())
                self._publish(chunk)
                time.sleep(every_s)
        return {'at_s': sent_s[0], 'last_s': sent_s[-1]}

    def _burst(self, count: int) -> dict[str, Any]:
        """So many chunks of one instant, as fast as they go out, then none."""
        with self._lock:
            self._speaks, at_s, now_ns = False, time.monotonic(), self._now_ns()
            self._policy.wish, self._policy.direction = 'drive', (0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
            for number in range(count):
                self._publish(replace(self._next_chunk(), image_stamp_ns=now_ns + number))
        return {'at_s': at_s}

    # ----------------------------------------------------------------------------------- sending

    def _run(self) -> None:
        next_s = time.monotonic()
        while not self._stopped.wait(max(0.0, next_s - time.monotonic())):
            next_s = max(next_s, time.monotonic() - self._sending_s) + self._sending_s
            with self._lock:
                if self._speaks and self._joints.peek() is not None:
                    self._publish(self._next_chunk())

    def _next_chunk(self) -> DeltaChunk:
        """The lock must be held."""
        message = self._joints.peek()
        assert message is not None, 'no joint states yet'
        joints, _ = joints_from_message(message, self._profile.joint_names)
        tip_m = self._kinematics.forward(joints).translation_m
        self._sequence += 1
        return DeltaChunk(
            (self._policy.next_delta(tip_m),),
            PERIOD_S,
            self._now_ns() + self._shift_ns,
            'commanded' if self._source == 'teleop' else 'measured',
            self._profile.base_link,
            self._sequence,
            self._source,
        )

    def _publish(self, chunk: DeltaChunk) -> None:
        stamp_ns = chunk.image_stamp_ns
        info = ActionInfo(
            stamp_ns, chunk.sequence, chunk.source, chunk.reference, MODEL, stamp_ns, stamp_ns
        )
        halves = (
            (self._infos, info_to_message(info)),
            (self._chunks, chunk_to_message(chunk)),
        )
        for publisher, message in halves:
            if not self._network:
                publisher.publish(message)
            elif self._chance.random() > LOSS:
                for _ in range(1 + (self._chance.random() < TWICE)):
                    delay_s = self._chance.uniform(0.0, LATEST_S)
                    threading.Timer(delay_s, publisher.publish, (message,)).start()

    def _on_tenth(self) -> None:
        values = {
            'reason': '',
            'mode': 'direct',
            'model': MODEL.name,
            'model_sha256': MODEL.sha256,
        }
        self._heartbeat.publish(heartbeat_message(NAME, self._now_ns()))
        self._state.publish(status_message('perception', 'acts as the script says', values))

    def _now_ns(self) -> int:
        return self.get_clock().now().nanoseconds


def main() -> int:
    """Act until the runner has gone."""
    return run_node(FakePerception)


if __name__ == '__main__':
    sys.exit(main())
