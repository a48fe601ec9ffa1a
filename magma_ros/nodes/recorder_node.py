"""Records episodes as bags, and says while it does whether they are any good.

A thread takes what the middleware has received and hands it to the writing thread; callbacks are
for services and timers only. Nothing is decoded.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from rclpy.qos import QoSProfile
from std_msgs.msg import String
from std_srvs.srv import Trigger

from magma_ros.dataset.episode_folders import EpisodeFolders
from magma_ros.dataset.image_compression import COMPRESSED_IMAGE, IMAGE, compressed_name
from magma_ros.dataset.picture_conversion import PictureConverter
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic
from magma_ros.dataset.recording_session import RecordingSession, reason_of
from magma_ros.dataset.stream_health import Problem
from magma_ros.errors import RecordingError
from magma_ros.nodes.bag_finisher import BagFinisher
from magma_ros.nodes.described_topics import describe_topic
from magma_ros.nodes.recorder_parameters import RecorderParameters
from magma_ros.nodes.recording_context import RecordingContext
from magma_ros.ros import topics
from magma_ros.ros.foreign_messages import ForeignMessages
from magma_ros.ros.node_process import run_node
from magma_ros.ros.optional_modules import load_interface
from magma_ros.ros.parameters import declare_parameters
from magma_ros.ros.raw_taps import RawTaps
from magma_ros.ros.recorder_topics import RECORDER_NOTE, RECORDER_SERVICES, RECORDER_STATE
from magma_ros.ros.status_messages import (
    ERROR,
    OK,
    WARN,
    diagnostics_message,
    heartbeat_message,
    status_message,
)

TAKE_PERIOD_S = 0.01
LOOK_PERIOD_S = 0.2  # for new publishers
RIVAL_S = 2.0  # after a sign of life of another recorder


class RecorderNode(Node):
    """See the table in ``ros/topics.py`` for its topics and services."""

    def __init__(self) -> None:
        super().__init__('recorder_node', automatically_declare_parameters_from_overrides=True)
        self._set = declare_parameters(self, RecorderParameters)
        self._gathered = RecordingContext(self, self._set.arm, self._set.calibration_file)
        self._finisher = BagFinisher(self._set.chunks)
        picture_settings = self._set.picture_settings()
        settings = self._set.settings(self.get_parameter('use_sim_time').value)
        folders = EpisodeFolders(Path(self._set.directory).absolute())
        for folder in folders.unfinished():
            self.get_logger().warning(
                f'{folder} was not ended by its recorder: magma bags repair {folder}'
            )
        # Topics whose pictures are converted, each with that of its compressed pictures.
        self._pictures: dict[str, tuple[RecordedTopic, RecordedTopic]] = {}
        self._lock = threading.RLock()  # of the session and the taps: the taker is a thread
        self._session = RecordingSession(
            folders,
            settings,
            self._gathered.describe,
            lambda: PictureConverter(picture_settings, self._pictures),
            self._finisher.add,
        )
        known = {topic.name: topic for topic in topics.TOPICS}
        self._taps = RawTaps(self, self._set.wanted_topics(), known, self._on_topic)
        self._problems: dict[tuple[str, str], Problem] = {}
        self._states = RECORDER_STATE.publisher(self)
        self._diagnostics = topics.DIAGNOSTICS.publisher(self)
        heartbeat = topics.heartbeat_topic(self.get_name())
        self._heartbeat = heartbeat.publisher(self)
        self._rivals = ForeignMessages(self, heartbeat, lambda message: message)
        RECORDER_NOTE.subscribe(self, self._on_note)
        answers: dict[str, Callable[[int], Path]] = {
            'start': self._start,
            'stop': self._session.stop,
            'success': lambda now_ns: self._judge(True, now_ns),
            'failure': lambda now_ns: self._judge(False, now_ns),
            'discard': self._discard,
            'keep': self._keep,
        }
        for request, service in RECORDER_SERVICES.items():
            self.create_service(Trigger, service.name, self._answer_with(answers[request]))
        self.create_timer(0.1, self._on_tenth)
        self.create_timer(LOOK_PERIOD_S, self._on_look)
        self.create_timer(1.0, self._on_second)
        self._stopped = threading.Event()
        self._taker = threading.Thread(target=self._take_all, name='take', daemon=True)
        self._taker.start()

    @property
    def has_failed(self) -> bool:
        """Whether nothing is taken any more."""
        return not self._taker.is_alive()

    def close(self) -> None:
        """End the episode; bags that wait for their index get it from ``magma bags repair``."""
        self._stopped.set()
        self._taker.join()
        self._session.close(time.time_ns())
        self._finisher.look(is_recording=False)
        self._taps.close()

    # ----------------------------------------------------------------------- in the own thread

    def _take_all(self) -> None:
        while not self._stopped.wait(TAKE_PERIOD_S):
            with self._lock:
                self._session.take(
                    (Arrival(one.topic, one.data, one.received_ns, one.published_ns), one.lost)
                    for one in self._taps.poll(time.time_ns())
                )

    # ------------------------------------------------------------------ in the executor's thread

    def _on_topic(self, name: str, kind: type, offered: QoSProfile) -> None:
        topic = describe_topic(name, kind, offered)
        if topic.type_name == IMAGE and self._set.pictures != 'as_is':
            compressed = load_interface(COMPRESSED_IMAGE)
            name = compressed_name(name)
            self._pictures[topic.name] = topic, describe_topic(name, compressed, offered)
        self._session.add_topic(topic, topic.name in self._pictures)

    def _start(self, now_ns: int) -> Path:
        self._finisher.look(is_recording=True)
        return self._session.start(now_ns, self.get_parameter('name').value)

    def _judge(self, success: bool, now_ns: int) -> Path:
        folder = self._session.label(success)
        return self._session.stop(now_ns) if self._session.is_recording else folder

    def _discard(self, now_ns: int) -> Path:
        if self._session.is_recording:
            self._session.stop(now_ns)
        if self._session.last is not None:
            self._finisher.leave_alone(self._session.last)
        return self._session.discard(now_ns)

    def _keep(self, now_ns: int) -> Path:
        record = self._session.record
        is_back = not self._session.is_recording and record is not None and record.discarded
        folder = self._session.keep(now_ns)
        if is_back:
            self._finisher.add(folder)
        return folder

    def _answer_with(
        self, act: Callable[[int], Path]
    ) -> Callable[[Trigger.Request, Trigger.Response], Trigger.Response]:
        def answer(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            try:
                with self._lock:
                    response.message = str(act(time.time_ns()))
                    fault = self._session.fault
                response.success = fault is None
                if fault is not None:
                    response.message += f'; {fault}'
            except RecordingError as error:
                response.message = str(error)
                self.get_logger().warning(str(error))
            self._publish_state()
            return response

        return answer

    def _on_note(self, message: String) -> None:
        try:
            with self._lock:
                self._session.note(time.time_ns(), message.data)
        except RecordingError as error:
            self.get_logger().warning(f'a note was not kept: {error}')

    def _on_tenth(self) -> None:
        now_ns = self.get_clock().now().nanoseconds
        self._rivals.sent(now_ns)
        self._heartbeat.publish(heartbeat_message(self.get_name(), now_ns))

    def _on_look(self) -> None:
        with self._lock:
            self._taps.look()

    def _on_second(self) -> None:
        with self._lock:
            fault = self._session.fault
            others = [Problem(n, 'type', text) for n, text in self._taps.unreadable.items()]
            if self._rivals.age_s(time.monotonic()) < RIVAL_S:
                text = f'another {self.get_name()} obeys the same keys'
                others.append(Problem('', 'rival', text))
            problems = self._session.look(time.time_ns(), time.monotonic(), others)
            if self._session.fault is not fault and self._session.fault is not None:
                self.get_logger().error(f'the episode was ended: {self._session.fault}')
        complaint = self._finisher.look(self._session.is_recording)
        if complaint:
            self.get_logger().warning(complaint)
        present = {(one.kind, one.topic): one for one in problems}
        for key in present.keys() - self._problems.keys():
            self.get_logger().warning(present[key].text)
        self._problems = present
        self._publish_state()
        status = self._describe()
        now_ns = self.get_clock().now().nanoseconds
        self._diagnostics.publish(diagnostics_message(status, now_ns))

    def _publish_state(self) -> None:
        self._states.publish(self._describe())

    def _describe(self) -> DiagnosticStatus:
        with self._lock:
            session, now_ns = self._session, time.time_ns()
            fault, record = session.fault, session.record
            progress, rates = session.progress(now_ns), session.rates_hz()
            free_gb, is_recording = session.free_gb(), session.is_recording
        state = 'recording' if is_recording else 'ready'
        level, text, reason = OK, state, ''
        if self._problems:
            level, text = WARN, '; '.join(one.text for one in self._problems.values())
        if fault is not None:
            # A reason slows the controller down or holds it: none where recording is not required.
            level, reason = (ERROR, reason_of(fault)) if self._set.required else (WARN, '')
            text = str(fault)
        success = '' if record is None or record.success is None else record.success
        values = {
            'state': state,
            'reason': reason,
            **progress,
            'success': success,
            'disk_free_gb': free_gb,
            **{f'hz {name}': rate for name, rate in sorted(rates.items()) if rate},
        }
        return status_message('recorder', text, values, level)


def main() -> int:
    """Record until SIGINT or SIGTERM; the present episode is then ended and kept."""
    return run_node(RecorderNode)


if __name__ == '__main__':
    sys.exit(main())
