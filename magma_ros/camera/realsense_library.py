"""pyrealsense2, with the libusb it needs, or an error that says how to get them."""

from __future__ import annotations

import ctypes
import importlib
from types import ModuleType

from magma_ros.errors import EnvironmentMissing


def load_realsense() -> ModuleType:
    """The module pyrealsense2.

    Its wheel links to the system's libusb, which small machines and containers lack; the wheel
    libusb-package, part of the extra ``realsense``, then stands in.

    Raises:
        EnvironmentMissing: one of the two is not there.
    """
    try:
        return importlib.import_module('pyrealsense2')
    except ModuleNotFoundError as error:
        raise EnvironmentMissing(
            f'{error.name} is missing: pip install "magma_ros[realsense]". On machines without a '
            'wheel build librealsense with its Python bindings (docs/jetson.md)'
        ) from error
    except ImportError as error:
        if 'libusb' not in str(error):
            raise EnvironmentMissing(
                f'pyrealsense2 cannot be loaded ({error}): install its wheel again'
            ) from error
    _load_libusb()
    return importlib.import_module('pyrealsense2')


def _load_libusb() -> None:
    try:
        package = importlib.import_module('libusb_package')
    except ModuleNotFoundError as error:
        raise EnvironmentMissing(
            'pyrealsense2 needs libusb: sudo apt install libusb-1.0-0, or pip install '
            'libusb-package'
        ) from error
    # The loader takes a library that is there already by its name, libusb-1.0.so.0.
    ctypes.CDLL(str(package.get_library_path()), ctypes.RTLD_GLOBAL)
