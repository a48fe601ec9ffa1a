"""Messages of vendors and MoveIt's binding: imported only where they are needed."""

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
