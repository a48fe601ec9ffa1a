"""Parameters of perception, and what they make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rclpy.node import Node

from magma_ros.errors import ConfigurationError
from magma_ros.model.backends.local_model import PRECISIONS, PrecisionName
from magma_ros.nodes.mark_sources import (
    MARK_SOURCES,
    TRACE_MARKS,
    MarkSource,
    MarkSources,
    TraceMarks,
)
from magma_ros.nodes.model_worker import ModelWorker, WorkerState
from magma_ros.nodes.model_worker_loading import ModelSettings
from magma_ros.nodes.perception_inputs import PerceptionInputs, pose_from_seven
from magma_ros.nodes.reference_watch import Reference
from magma_ros.pipeline import MODES
from magma_ros.robot.arm_profile import ArmProfile, load_arm_profile
from magma_ros.ros.parameters import parameter


@dataclass(frozen=True)
class PerceptionParameters:
    """See config/perception.yaml."""

    autostart: bool = parameter(False, 'configure and activate without a lifecycle manager')
    model: str = parameter(
        '',
        'folder of a model, or owner/name@commit on the hub; empty: magma-nano; "scripted"; or a '
        'server: ws://host:port, http://host:port/act, openai+http://host:port/name',
    )
    statistics: str = parameter(
        '', 'action statistics, when the model does not name its own: bridge_orig, google_robot'
    )
    precision: PrecisionName = parameter(
        'as stored', 'of the weights of a torch checkpoint', choices=tuple(PRECISIONS)
    )
    device: str = parameter('auto', 'of a torch checkpoint: auto, cpu, cuda, cuda:1')
    model_python: str = parameter(
        '', 'interpreter of the process of the model, with magma_ros installed; empty: our own'
    )
    answer_timeout_s: float = parameter(
        60.0, 'an answer of the model that takes longer counts as a crash', 's', 0.1, 3600.0
    )
    scripted_actions: tuple[float, ...] = parameter(
        (0.0,) * 7, 'of the scripted model: seven numbers in -1..1 for each action'
    )
    scripted_path: str = parameter(
        '', 'of the scripted model: a path answer as HAMSTER writes it, for 640 x 480 pictures'
    )
    scripted_words: str = parameter('', 'of the scripted model: its answer to every question')
    path_model: str = parameter(
        '',
        'another model, as in model, that draws the paths and answers questions, such as '
        'openai+http://host:port/Hamster_dev; empty: the model itself',
    )
    draw_path: bool = parameter(
        False, 'mode direct: draw a path on the first picture and show it to the model in each'
    )
    mode: str = parameter('path', 'how predictions become motion', choices=MODES)
    arm: str = parameter('wx250s', 'arm profile, a file of config/arms')
    camera_namespace: str = parameter('/camera/camera', 'of the camera driver')
    compressed: bool = parameter(False, 'read color/image_raw/compressed, JPEG or PNG')
    camera_frame: str = parameter('', 'frame_id that pictures must have; empty: any')
    camera_rate_hz: float = parameter(
        0.0, 'pictures a second that are expected, fewer slow the arm down; 0: any', 'Hz', 0, 240
    )
    camera_stale_s: float = parameter(
        0.4, 'without a picture for so long the arm holds', 's', 0.05, 10.0
    )
    camera_pose_source: str = parameter(
        'tf_static', 'where the pose of the camera is from', choices=('tf_static', 'parameter')
    )
    camera_pose: tuple[float, ...] = parameter(
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
        'optical frame in the base frame: x y z, quaternion x y z w',
        'm',
    )
    check_frozen: bool = parameter(True, 'pixels that never change are a fault')
    reference_picture: str = parameter(
        '', 'what the camera saw in training, a file; "nano": of the shipped model; empty: unknown'
    )
    reference_period_s: float = parameter(
        5.0, 'how often a picture is compared with it', 's', 0.5, 3600.0
    )
    trace_period_s: float = parameter(
        0.0,
        'mode direct: how often the model draws where things will move, to be seen; 0: never',
        's',
        0.0,
        3600.0,
    )
    trace_limit_s: float = parameter(
        0.2, 'it stops drawing after so long, because the next action may wait', 's', 0.01, 60.0
    )
    trace_marks: TraceMarks = parameter(
        'model',
        'what it draws the way of; model: what it was made for (magma-nano: the gripper)',
        choices=TRACE_MARKS,
    )
    question_marks: MarkSource = parameter(
        'segments', 'drawn into the picture for "which mark is ..."', choices=MARK_SOURCES
    )
    threads: int = parameter(1, 'of the model', '', 1, 64)
    sealed_file: str = parameter(
        '',
        'of a blinded session: what it says about the model counts, and is not published; read '
        'when configured',
        read_only=False,
    )


@dataclass(frozen=True)
class Perception:
    """What configure has made."""

    profile: ArmProfile
    inputs: PerceptionInputs
    worker: ModelWorker  # not started yet
    marks: MarkSources
    reference: Reference | None

    def close(self) -> None:
        """End the model, hear nothing more."""
        self.worker.close()
        self.inputs.close()
        self.marks.close()


def set_up(
    node: Node, wanted: PerceptionParameters, on_change: Callable[[WorkerState], None]
) -> Perception:
    """Check what can be checked at once, connect the inputs, and begin to load the model.

    Raises:
        ConfigurationError: a name or value is wrong, or there is no such interpreter.
        CameraError: camera_pose is no pose, or the reference picture cannot be used.
    """
    profile = load_arm_profile(wanted.arm)
    if wanted.trace_period_s and (wanted.mode == 'path' or wanted.draw_path):
        raise ConfigurationError(
            'trace_period_s: the path is drawn already (mode path, draw_path) and is in '
            '/magma/trace; set it to 0, or use mode direct without draw_path'
        )
    reference = Reference(wanted.reference_picture) if wanted.reference_picture else None
    pose = None
    if wanted.camera_pose_source == 'parameter':
        pose = pose_from_seven(wanted.camera_pose)
    worker = ModelWorker(
        model_settings(wanted), wanted.model_python, wanted.answer_timeout_s, on_change
    )
    inputs = PerceptionInputs(
        node, profile, wanted.camera_namespace, pose, wanted.compressed, wanted.camera_rate_hz
    )
    return Perception(profile, inputs, worker, MarkSources(node), reference)


def model_settings(wanted: PerceptionParameters) -> ModelSettings:
    """The part of the parameters that the worker must know."""
    return ModelSettings(
        wanted.model,
        wanted.statistics,
        wanted.precision,
        wanted.device,
        wanted.threads,
        wanted.scripted_actions,
        wanted.scripted_path,
        wanted.scripted_words,
        wanted.path_model,
    )
