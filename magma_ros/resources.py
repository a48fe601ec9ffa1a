"""Where the files that come with the package are, in a checkout and in any installation.

Configuration, launch and robot description files lie beside the package in a checkout, and in
``<prefix>/share/magma_ros`` once installed; assets are inside the package.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from magma_ros.errors import ConfigurationError

PACKAGE_DIRECTORY = Path(__file__).resolve().parent


def config_path(name: str) -> Path:
    """Path of ``config/<name>``, such as ``arms/wx250s.yaml``.

    Raises:
        ConfigurationError: there is no such file; the message lists the ones there are.
    """
    return _existing(share_directory() / 'config', name)


def urdf_path(name: str) -> Path:
    """Path of ``urdf/<name>``, such as ``wx250s.urdf.xacro``.

    Raises:
        ConfigurationError: there is no such file; the message lists the ones there are.
    """
    return _existing(share_directory() / 'urdf', name)


def asset_path(name: str) -> Path:
    """Path of ``magma_ros/assets/<name>``: a file, or a directory such as a checkpoint's.

    Raises:
        ConfigurationError: there is no such file; the message lists the ones there are.
    """
    return _existing(PACKAGE_DIRECTORY / 'assets', name)


def share_directory() -> Path:
    """Directory that holds ``config/``, ``launch/`` and ``urdf/``.

    Raises:
        ConfigurationError: the package was installed without them.
    """
    for directory in _share_candidates():
        if (directory / 'package.xml').is_file() and (directory / 'config').is_dir():
            return directory
    looked_at = ', '.join(str(directory) for directory in _share_candidates())
    raise ConfigurationError(
        f'config/ and urdf/ of magma_ros were not found in any of: {looked_at}. '
        'Install the package again (pip install . or colcon build), or run from a checkout.'
    )


def _share_candidates() -> Iterator[Path]:
    yield PACKAGE_DIRECTORY.parent
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    # <prefix>/lib/python3.x/site-packages/magma_ros is where pip and colcon put the package.
    prefixes += [str(parent) for parent in PACKAGE_DIRECTORY.parents[3:5]] + [sys.prefix]
    for prefix in filter(None, prefixes):
        yield Path(prefix) / 'share' / 'magma_ros'


def _existing(directory: Path, name: str) -> Path:
    path = directory / name
    inside = path.resolve().is_relative_to(directory.resolve())
    if inside and path.exists():
        return path
    files = sorted(
        file.relative_to(directory).as_posix() for file in directory.rglob('*') if file.is_file()
    )
    raise ConfigurationError(
        f'{name!r} is not in {directory}. There is: {", ".join(files) or "nothing"}.'
    )
