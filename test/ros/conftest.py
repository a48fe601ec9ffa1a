"""Processes of real nodes in a ROS domain of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

from magma_ros.ros.process_environment import process_environment

PROGRAMS = Path(__file__).parent / 'programs'


@pytest.fixture
def start_program(domain_id):
    """Starts a program of test/ros/programs as the magma command would; ended after the test."""
    processes = []

    def start(name, **options):
        process = subprocess.Popen(
            [sys.executable, str(PROGRAMS / name)], env=process_environment(domain_id), **options
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        # Interrupted, not killed: a killed node leaves its 35 MB in /dev/shm behind.
        process.terminate()
        process.wait(timeout=30)
