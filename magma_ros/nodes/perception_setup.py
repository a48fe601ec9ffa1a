"""Parameters of perception, and what they make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rclpy.node import Node

from magma_ros.model.backends.local_model import PRECISIONS, PrecisionName
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
        'server: ws://host:port, http://host:port/act',
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
    reference: Reference | None

    def close(self) -> None:
        """End the model, hear nothing more."""
        self.worker.close()
        self.inputs.close()


def set_up(
    node: Node, wanted: PerceptionParameters, on_change: Callable[[WorkerState], None]
) -> Perception:
    """Check what can be checked at once, connect the inputs, and begin to load the model.

    Raises:
        ConfigurationError: a name or value is wrong, or there is no such interpreter.
        CameraError: camera_pose is no pose, or the reference picture cannot be used.
    """
    profile = load_arm_profile(wanted.arm)
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
    return Perception(profile, inputs, worker, reference)


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
    )
