"""Looks and decides: pictures, joint states and a sentence in, action chunks out.

A lifecycle node: configure begins to load the model in a process of its own, activate begins to
look, deactivate finishes the look under way. Never moves anything.
"""

from __future__ import annotations

import sys
import threading
import time

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_msgs.msg import String

from magma_ros.errors import ConfigurationError, MagmaError, ModelError
from magma_ros.motion.reason_codes import Reason
from magma_ros.nodes.model_worker import WorkerState
from magma_ros.nodes.perception_outputs import PerceptionOutputs
from magma_ros.nodes.perception_setup import Perception, PerceptionParameters, set_up
from magma_ros.nodes.perception_status import perception_status
from magma_ros.nodes.perception_timing import PerceptionTiming
from magma_ros.nodes.perception_watches import PerceptionWatches
from magma_ros.nodes.prediction_loop import Condition, LookSettings, Prediction, PredictionLoop
from magma_ros.nodes.question_desk import SpokenAnswer
from magma_ros.nodes.sealed_serving import Serving, settle_serving
from magma_ros.ros import topics
from magma_ros.ros.node_process import run_node
from magma_ros.ros.parameters import declare_parameters, read_parameters
from magma_ros.ros.status_messages import diagnostics_message, heartbeat_message

WATCH_S = 0.05  # how often silence is looked for


class PerceptionNode(LifecycleNode):
    """See the table in ``ros/topics.py`` for its topics."""

    def __init__(self) -> None:
        super().__init__('perception_node', automatically_declare_parameters_from_overrides=True)
        self.set = declare_parameters(self, PerceptionParameters)
        self._serving = Serving(self.set)
        self.fault = ''
        self._perception: Perception | None = None
        self._loop: PredictionLoop | None = None
        self._watches: PerceptionWatches | None = None
        self._timing = PerceptionTiming()
        self._asleep = Condition('not configured')  # how it is without a model
        self._said: Condition | None = None
        self._saying = threading.Lock()  # executor, loop and worker have something to say
        self._state = topics.PERCEPTION_STATE.publisher(self)
        self._diagnostics = topics.DIAGNOSTICS.publisher(self)
        self._heartbeat = topics.heartbeat_topic(self.get_name()).publisher(self)
        self._outputs = PerceptionOutputs(self)
        topics.QUESTION.subscribe(self, self._on_question)
        self.create_timer(WATCH_S, self._on_watch)
        self.create_timer(0.1, self._on_tenth)
        self.create_timer(1.0, self._on_second)

    @property
    def has_failed(self) -> bool:
        """Whether a thread has died that should not."""
        if self._perception is not None and self._perception.worker.has_failed:
            return True
        return self._loop is not None and not self._loop.is_alive

    def close(self) -> None:
        """Stop looking, end the model."""
        self._stop_looking()
        if self._perception is not None:
            self._perception.close()
            self._perception = None

    # ------------------------------------------------------------------------------- lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Connect the inputs and begin to load; what comes of it is in /magma/perception_state.

        A model that cannot be loaded takes the node back to unconfigured.
        """
        self.fault = ''
        try:
            self._serving = settle_serving(read_parameters(self, PerceptionParameters))
            self._perception = set_up(self, self._serving.parameters, self._on_worker)
        except MagmaError as error:
            self.fault = self._serving.seal_text(str(error))
            self._asleep = Condition(self.fault, is_ok=False)
            self._report()
            self.get_logger().error(self.fault)
            return TransitionCallbackReturn.FAILURE
        self._perception.worker.start()
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to look; the first question waits until the model is loaded."""
        assert self._perception is not None
        settings = LookSettings(
            self._serving.parameters.mode,  # type: ignore[arg-type]
            self._perception.profile.base_link,
            self.set.check_frozen,
            self.set.camera_frame,
            self.set.draw_path,
        )
        self._loop = PredictionLoop(
            self._perception.worker,
            self._perception.inputs,
            settings,
            self._timing,
            self._now_ns,
            self._publish,
            self._report,
        )
        self._loop.start()
        self._watches = PerceptionWatches(
            self._perception, self._serving, self._loop, self._outputs
        )
        self._watches.start()
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Finish the look under way and publish what it gives; the model stays loaded."""
        self._stop_looking()
        self._report()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End the model."""
        self.close()
        self._report()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End the model, wherever it was."""
        self.close()
        return super().on_shutdown(state)

    def _stop_looking(self) -> None:
        if self._watches is not None:
            self._watches.stop()
            self._watches = None
        if self._loop is not None:
            self._loop.stop()
            self._loop = None

    def _give_up_loading(self, text: str) -> None:
        """The model cannot be loaded: nothing that was configured is of use."""
        text = self._serving.seal_text(text)
        if self.set.autostart:  # nobody manages us: the process ends and says why
            raise ModelError(text)
        self.fault, self._asleep = text, Condition(text, Reason.MODEL_LOAD, is_ok=False)
        self.get_logger().error(text)
        if self._loop is not None:
            self.trigger_deactivate()
        self.trigger_cleanup()

    # --------------------------------------------------------- in the threads of loop and worker

    def _publish(self, prediction: Prediction) -> None:
        assert self._perception is not None
        assert self._perception.worker.loaded is not None
        identity = self._perception.worker.loaded.identity
        watch = self._watches.traces if self._watches is not None else None
        live = (watch.traces, watch.status) if watch is not None else ()
        self._outputs.publish(*self._serving.seal(prediction, identity), *live)
        if watch is not None:
            watch.follow(prediction.seen)

    def _on_worker(self, state: WorkerState) -> None:
        if state.is_ready or state.reason is Reason.MODEL_LOADING:
            self.get_logger().info(state.text)
        else:
            self.get_logger().error(state.text)
        self._report()

    def _report(self) -> None:
        """Say how it is if that is new; callable from every thread."""
        with self._saying:
            condition = self._condition()
            if condition != self._said:
                self._said = condition
                self._state.publish(self._describe(condition))

    def _condition(self) -> Condition:
        """How it is: the model comes before the camera, the camera before the last look."""
        perception, loop = self._perception, self._loop
        if perception is None:
            return self._asleep
        worker = perception.worker.state
        if not worker.is_ready:
            return Condition(worker.text, worker.reason, is_ok=False)
        loaded = perception.worker.loaded
        if loaded is not None and not self._serving.is_expected(loaded.identity):
            return Condition('not the model of the session', Reason.MODEL_HASH, is_ok=False)
        if loop is None:
            return Condition('configured')
        now_s = time.monotonic()
        if perception.inputs.pictures.age_s(now_s) > self.set.camera_stale_s:
            return Condition(Reason.CAMERA_STALE.text, Reason.CAMERA_STALE, is_ok=False)
        slow = perception.inputs.rate.find_fault(now_s)
        if slow is not None and loop.condition.is_ok:
            return Condition(f'{slow.code}: {slow.text}', Reason[slow.code])
        return loop.condition

    def _describe(self, condition: Condition) -> DiagnosticStatus:
        values = self._timing.values(time.monotonic())
        worker = self._perception.worker if self._perception else None
        watches = self._watches
        if watches is not None:
            values |= watches.values
        findings = watches.findings if watches is not None else ()
        mode = self._serving.parameters.mode
        status = perception_status(condition, mode, worker, values, findings)
        return self._serving.seal_status(status)

    # ---------------------------------------------------------------- in the executor's thread

    def _on_watch(self) -> None:
        worker = self._perception.worker if self._perception else None
        if worker is not None and worker.loaded is None and worker.state.stage == 'failed':
            self._give_up_loading(worker.state.text)
        self._report()

    def _on_question(self, message: String) -> None:
        if self._watches is None:
            self._outputs.answer(SpokenAnswer(message.data, error='perception is not active'))
        else:
            self._watches.ask(message.data)

    def _on_tenth(self) -> None:
        if self._loop is not None and self._loop.is_alive:
            self._heartbeat.publish(heartbeat_message(self.get_name(), self._now_ns()))

    def _on_second(self) -> None:
        status = self._describe(self._condition())
        self._diagnostics.publish(diagnostics_message(status, self._now_ns()))

    def _now_ns(self) -> int:
        return self.get_clock().now().nanoseconds


def make_node() -> PerceptionNode:
    """The node, running already if ``autostart`` says so."""
    node = PerceptionNode()
    if node.set.autostart:
        if node.trigger_configure() is not TransitionCallbackReturn.SUCCESS:
            raise ConfigurationError(f'perception_node cannot start: {node.fault}')
        node.trigger_activate()
    return node


def main() -> int:
    """Run perception until SIGINT or SIGTERM."""
    return run_node(make_node)


if __name__ == '__main__':
    sys.exit(main())
