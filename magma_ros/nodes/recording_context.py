"""What belongs into a bag besides messages: who acted, with which settings, on which arm."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from rclpy.utilities import get_rmw_implementation_identifier

from magma_ros import __version__
from magma_ros.dataset.running_episode import Context
from magma_ros.errors import ConfigurationError
from magma_ros.resources import PACKAGE_DIRECTORY, config_path
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.ros import topics
from magma_ros.ros.parameter_snapshots import ParameterSnapshots
from magma_ros.ros.status_messages import status_values

NODES = (
    'perception_node',
    'controller_node',
    'supervisor_node',
    'recorder_node',
    'teleop_node',
    'camera_node',
    'servo_node',
    'servo_stand_in_node',
    'sim_node',
)
RENEW_S = 2.0
GIT_S = 5.0
LARGEST_FILE = 16 * 1024**2


class RecordingContext:
    """Gathers while nothing is recorded, so that an episode can begin at once.

    Args:
        node: asks and listens.
        arm: profile.
        calibration_file: '' for none.

    Raises:
        ConfigurationError: there is no such arm or file.
    """

    def __init__(self, node: Node, arm: str, calibration_file: str) -> None:
        profile = load_arm_profile(arm)
        self._files = [
            (f'{arm}.yaml', 'application/yaml', config_path(f'arms/{arm}.yaml').read_bytes()),
            (f'{arm}.urdf', 'application/xml', profile.urdf_text().encode()),
        ]
        if calibration_file:
            content = _read_calibration(Path(calibration_file))
            self._files.append((Path(calibration_file).name, 'text/plain', content))
        self._fixed = {'arm': arm, 'software': describe_software()}
        self._perception: dict[str, str] = {}
        self._parameters = ParameterSnapshots(node, NODES)
        topics.PERCEPTION_STATE.subscribe(node, self._on_perception)
        node.create_timer(RENEW_S, self._parameters.renew)

    def describe(self) -> Context:
        """As it is now."""
        values = {
            **self._fixed,
            'model': dict(self._perception),
            'parameters': dict(self._parameters.values),
        }
        return Context(values, tuple(self._files))

    def _on_perception(self, message: DiagnosticStatus) -> None:
        values = status_values(message)
        keys = ('model', 'model_sha256', 'statistics', 'mode')
        self._perception = {key: values[key] for key in keys if key in values}


def describe_software() -> dict[str, str]:
    """Versions of what runs here; nothing that names the machine."""
    return {
        'magma_ros': __version__,
        'git': _git_version(),
        'ros_distro': os.environ.get('ROS_DISTRO', 'kilted (PyPI)'),
        'rmw': get_rmw_implementation_identifier(),
        'python': platform.python_version(),
        'kernel': platform.release(),
    }


def _git_version() -> str:
    """The commit of a checkout, with ``-dirty`` where it was changed; empty once installed."""
    command = ['git', 'describe', '--always', '--dirty', '--abbrev=40', '--exclude=*']
    try:
        done = subprocess.run(
            command, cwd=PACKAGE_DIRECTORY, capture_output=True, text=True, timeout=GIT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return ''
    return done.stdout.strip() if done.returncode == 0 else ''


def _read_calibration(path: Path) -> bytes:
    if not path.is_file() or path.stat().st_size > LARGEST_FILE:
        raise ConfigurationError(
            f'calibration_file {path} is no file, or larger than {LARGEST_FILE} bytes'
        )
    return path.read_bytes()
