"""One simulated table for the whole session: building it takes longer than most tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

os.environ.setdefault('MUJOCO_GL', 'egl')  # read when MuJoCo is imported; no screen is needed


@pytest.fixture(scope='session')
def world():
    """The table; a test that uses it begins with ``reset``."""
    from magma_ros.robot.arm_profile import load_arm_profile
    from magma_ros.sim.world import World

    return World(load_arm_profile('wx250s'))


@pytest.fixture(scope='session')
def camera(world) -> Iterator:
    """Its camera; ``place`` it after each reset."""
    from magma_ros.sim.camera import SimCamera

    camera = SimCamera(world)
    yield camera
    camera.close()
