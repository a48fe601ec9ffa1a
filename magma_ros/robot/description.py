"""Reads an arm description (URDF or xacro) into URDF text."""

from __future__ import annotations

from pathlib import Path

import xacro

from magma_ros.errors import ConfigurationError


def read_description(path: Path, arguments: dict[str, str] | None = None) -> str:
    """URDF text of a ``.urdf`` or ``.xacro`` file, with xacro arguments filled in.

    Raises:
        ConfigurationError: the file is missing or does not expand.
    """
    if not path.is_file():
        raise ConfigurationError(
            f'arm description {path} does not exist: check "urdf" in the arm profile'
        )
    try:
        return xacro.process_file(str(path), mappings=arguments or {}).toxml()
    except xacro.XacroException as error:
        raise ConfigurationError(f'arm description {path} does not expand: {error}') from error
