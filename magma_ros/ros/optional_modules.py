"""Messages of vendors, of later distributions and MoveIt's binding: imported where needed."""

from __future__ import annotations

import importlib
from typing import Any

from magma_ros.errors import EnvironmentMissing


def import_optional(module: str, needed_for: str) -> Any:
    """A module such as ``franka_msgs.action``.

    Raises:
        EnvironmentMissing: it is not installed; the message says who wants it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise EnvironmentMissing(
            f'{needed_for} needs {module}: install its ROS package (PyPI has none) and source '
            'that installation'
        ) from error


def load_interface(interface: type | str) -> Any:
    """The class of a message, service or action, such as ``moveit_msgs/srv/ServoCommandType``.

    Raises:
        EnvironmentMissing: its package is not installed, or too old to have it.
    """
    if isinstance(interface, type):
        return interface
    package, folder, name = interface.split('/')
    module = import_optional(f'{package}.{folder}', interface)
    if not hasattr(module, name):
        raise EnvironmentMissing(
            f'the {package} of this ROS distribution has no {interface} (Humble has none): choose '
            'what Humble offers instead, or a later distribution'
        )
    return getattr(module, name)
