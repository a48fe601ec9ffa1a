"""What tests of all folders share: the simulated table, and ROS domains nobody else is in."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

os.environ.setdefault('MUJOCO_GL', 'egl')  # read when MuJoCo is imported; no screen is needed


DOMAINS = range(20, 101)  # from 102 on, Fast DDS's ports lie among those that Linux hands out


@contextmanager
def _claimed_domain() -> Iterator[int]:
    """A ROS domain that no other test on this machine has, in whatever process it runs."""
    for number in DOMAINS:
        lock = Path(tempfile.gettempdir(), f'magma_test_domain_{number}')
        with lock.open('w') as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield number
            return
    pytest.fail('every ROS domain for tests is in use; end other test runs')


@pytest.fixture
def domain_id() -> Iterator[int]:
    """A ROS domain for one test."""
    with _claimed_domain() as number:
        yield number


@pytest.fixture(scope='module')
def module_domain_id() -> Iterator[int]:
    """A ROS domain for the tests of one file."""
    with _claimed_domain() as number:
        yield number


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
