"""Starts controllers with a rig around them, each in a ROS domain of its own."""

import pytest

from magma_ros.ros.process_environment import process_environment

pytest.importorskip('rclpy')

from controller_rig import PATIENT, ControllerRig  # noqa: E402


@pytest.fixture(autouse=True)
def _this_machine_only(monkeypatch):
    for name, value in process_environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def make_rig(domain_id):
    """Starts a controller and its rig."""
    rigs = []

    def make(*parameters, **options):
        rigs.append(ControllerRig(domain_id, (*PATIENT, *parameters), **options))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.close()
