"""Checks of ``magma doctor`` on the software: ROS, messages, model runtimes, the checkpoint."""

from __future__ import annotations

import importlib.util
import os
import shutil
from importlib import metadata
from pathlib import Path

from magma_ros.errors import ConfigurationError
from magma_ros.model.weights.checksum import find_damage
from magma_ros.resources import asset_path
from magma_ros.ros.process_environment import LARGEST_DOMAIN_ID
from magma_ros.tools.environment import IMPORTED_MODULES
from magma_ros.tools.finding import Finding, probe

MAKE_ENVIRONMENT = 'make environment'
CHECKPOINT = 'nano'


def check_ros() -> Finding:
    """Which ROS is in use, and its middleware."""
    code = 'import rclpy.utilities as u; print(u.get_rmw_implementation_identifier())'
    works, answer = probe(code, os.environ)
    if not works:
        return Finding('ROS', False, f'rclpy cannot be imported: {answer}', MAKE_ENVIRONMENT)
    distribution = os.environ.get('ROS_DISTRO')
    kind = f'{distribution}, sourced' if distribution else 'Kilted, from PyPI'
    if answer.startswith('rmw_fastrtps'):
        return Finding('ROS', True, f'{kind}, {answer}', 'nothing to do')
    return Finding(
        'ROS',
        None,
        f'{kind}, {answer}',
        'our shared-memory profile is for rmw_fastrtps_cpp; give this one large enough buffers '
        'for pictures, or unset RMW_IMPLEMENTATION',
    )


def check_messages() -> Finding:
    """Whether every message package can be imported."""
    modules = [name for name in IMPORTED_MODULES if name.endswith(('.msg', '.action', '.srv'))]
    works, reason = probe(f'import {", ".join(modules)}', os.environ)
    if works:
        packages = ', '.join(sorted({name.split('.')[0] for name in modules}))
        return Finding('messages', True, packages, 'nothing to do')
    install = 'install the missing package: rosdep install --from-paths . --ignore-src'
    sourced = 'ROS_DISTRO' in os.environ
    return Finding('messages', False, reason, install if sourced else MAKE_ENVIRONMENT)


def check_domain(value: str | None = None) -> Finding:
    """Which ROS domain is used: every machine of a network that has the same one is heard."""
    value = os.environ.get('ROS_DOMAIN_ID', '0') if value is None else value
    if not (value.isdecimal() and int(value) <= LARGEST_DOMAIN_ID):
        return Finding(
            'ROS domain',
            False,
            f'ROS_DOMAIN_ID={value!r}',
            f'set a number from 0 to {LARGEST_DOMAIN_ID}, or unset it',
        )
    return Finding(
        'ROS domain',
        True,
        value,
        'with an arm on the network choose one no other robot uses: export ROS_DOMAIN_ID=...',
    )


def check_onnxruntime() -> Finding:
    """Which processors onnxruntime can use."""
    if not importlib.util.find_spec('onnxruntime'):
        return Finding('onnxruntime', False, 'not installed', MAKE_ENVIRONMENT)
    code = 'import onnxruntime as o; print(", ".join(o.get_available_providers()))'
    works, answer = probe(code, os.environ)
    if not works:
        return Finding('onnxruntime', False, answer, MAKE_ENVIRONMENT)
    if shutil.which('nvidia-smi') and 'CUDA' not in answer:
        return Finding(
            'onnxruntime',
            None,
            answer,
            'exported models run on the CPU; the GPU is for checkpoints, through torch '
            '(docs/jetson.md)',
        )
    return Finding('onnxruntime', True, answer, 'nothing to do')


def check_torch() -> Finding:
    """Whether torch is installed; only Magma-8B, training and some tests need it."""
    if importlib.util.find_spec('torch'):
        return Finding('torch', True, metadata.version('torch'), 'nothing to do')
    return Finding(
        'torch',
        None,
        'not installed',
        'the demo does without; for Magma-8B and training: pip install -e ".[torch]"',
    )


def check_checkpoint(directory: Path | None = None) -> Finding:
    """Whether the files of magma-nano are there and undamaged."""
    try:
        directory = directory or asset_path(CHECKPOINT)
    except ConfigurationError:
        return Finding('magma-nano', False, 'no checkpoint', 'make train-nano')
    damaged = find_damage(directory)
    if damaged:
        what = f'missing or damaged: {", ".join(damaged)}'
        return Finding(
            'magma-nano', False, what, f'restore it: git checkout {directory}, or make train-nano'
        )
    return Finding('magma-nano', True, 'checksums right', 'nothing to do')
