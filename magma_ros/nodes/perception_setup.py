"""Parameters of perception, and what it loads because of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rclpy.node import Node

from magma_ros.errors import ConfigurationError
from magma_ros.image.image_preparation import prepare_image
from magma_ros.model.action_model import ActionModel
from magma_ros.model.action_scaling import ActionStatistics, load_statistics
from magma_ros.model.backends.acting_model import ModelChoice, load_acting_model
from magma_ros.model.backends.local_model import PRECISIONS, LocalSettings, PrecisionName
from magma_ros.model.backends.scripted_model import ScriptedModel
from magma_ros.model.text.hamster_text import parse_hamster_answer
from magma_ros.nodes.perception_inputs import PerceptionInputs, pose_from_seven
from magma_ros.pipeline import MODES
from magma_ros.robot.arm_profile import ArmProfile, load_arm_profile
from magma_ros.ros.parameters import parameter

SCRIPTED = 'scripted'
SCRIPTED_STATISTICS = 'magma_nano_sim'
SCRIPTED_PICTURE_PX = (640, 480)


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
    scripted_actions: tuple[float, ...] = parameter(
        (0.0,) * 7, 'of the scripted model: seven numbers in -1..1 for each action'
    )
    scripted_path: str = parameter(
        '', 'of the scripted model: a path answer as HAMSTER writes it, for 640 x 480 pictures'
    )
    mode: str = parameter('path', 'how predictions become motion', choices=MODES)
    arm: str = parameter('wx250s', 'arm profile, a file of config/arms')
    camera_namespace: str = parameter('/camera/camera', 'of the camera driver')
    camera_pose_source: str = parameter(
        'tf_static', 'where the pose of the camera is from', choices=('tf_static', 'parameter')
    )
    camera_pose: tuple[float, ...] = parameter(
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
        'optical frame in the base frame: x y z, quaternion x y z w',
        'm',
    )
    check_frozen: bool = parameter(True, 'pixels that never change are a fault')
    threads: int = parameter(1, 'of the model', '', 1, 64)


@dataclass(frozen=True)
class Loaded:
    """What configure has loaded."""

    model: ActionModel
    statistics: ActionStatistics | None  # None: the model answers in metres and radians
    profile: ArmProfile
    inputs: PerceptionInputs


def load(node: Node, wanted: PerceptionParameters) -> Loaded:
    """Load model and arm, and connect the inputs.

    Raises:
        ConfigurationError: a name or value is wrong.
        ModelError: the model is missing or damaged, or its server does not answer.
        EnvironmentMissing: a server is to be asked, and the libraries for that are missing.
        CameraError: camera_pose is no pose.
    """
    model, statistics = _load_model(wanted)
    profile = load_arm_profile(wanted.arm)
    pose = None
    if wanted.camera_pose_source == 'parameter':
        pose = pose_from_seven(wanted.camera_pose)
    inputs = PerceptionInputs(node, profile, wanted.camera_namespace, pose)
    return Loaded(model, statistics, profile, inputs)


def _load_model(wanted: PerceptionParameters) -> tuple[ActionModel, ActionStatistics | None]:
    if wanted.model == SCRIPTED:
        if len(wanted.scripted_actions) % 7:
            raise ConfigurationError('scripted_actions needs seven numbers for each action')
        path = wanted.scripted_path
        traces = [parse_hamster_answer(path, *SCRIPTED_PICTURE_PX)] if path else []
        model = ScriptedModel(np.array(wanted.scripted_actions), traces)
        return model, load_statistics(SCRIPTED_STATISTICS)
    settings = LocalSettings(wanted.threads, wanted.precision, wanted.device)
    choice = ModelChoice(wanted.model, wanted.statistics or None, settings)
    acting = load_acting_model(choice, prepare_image)
    return acting.model, acting.statistics
