"""``magma arm-check`` on the simulated arm, with the Servo stand-in, as real processes."""

import json
import signal
import subprocess
import sys

import pytest

pytest.importorskip('rclpy')

from std_msgs.msg import Bool  # noqa: E402

from magma_ros.nodes.arm_link import ArmLink  # noqa: E402
from magma_ros.nodes.node_processes import NodeProcesses  # noqa: E402
from magma_ros.nodes.node_program import DEMO_PROGRAMS  # noqa: E402
from magma_ros.robot.arm_profile import load_arm_profile  # noqa: E402
from magma_ros.ros import topics  # noqa: E402
from magma_ros.ros.operator_client import OperatorClient  # noqa: E402
from magma_ros.ros.process_environment import process_environment  # noqa: E402

pytestmark = pytest.mark.ros
ARM = ('sim_node', 'servo_stand_in_node')
TRIES = 3  # a busy machine may let joint states get old, and then the arm must stop


@pytest.fixture(scope='module')
def domain(module_domain_id):
    """A ROS domain with the arm in it."""
    programs = [program for program in DEMO_PROGRAMS if program.name in ARM]
    with NodeProcesses(programs, domain_id=module_domain_id, ready_s=120.0):
        yield module_domain_id


def start_check(domain, *options):
    command = [sys.executable, '-u', '-m', 'magma_ros.tools.magma', 'arm-check', *options]
    return subprocess.Popen(
        command,
        env=process_environment(domain),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job ignores it, and hands that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def start_until_it_moves(domain):
    """A check that has just begun with the first axis."""
    for _ in range(TRIES):
        process = start_check(domain, '--yes')
        if any('hold' in line for line in process.stdout):
            return process
        process.communicate(timeout=60)
    pytest.fail(f'the arm was not moved in {TRIES} tries')


def test_a_good_arm_passes_every_check(domain):
    for _ in range(TRIES):
        process = start_check(domain, '--yes', '--json')
        output, errors = process.communicate(timeout=180)
        report = json.loads(output)
        if not report['stopped']:
            break

    assert process.returncode == 0, errors
    assert report['is_right']
    assert not report['mismatches']
    assert {check['outcome'] for check in report['checks']} == {'passed'}
    assert [stroke['name'] for stroke in report['strokes']][-2:] == ['+yaw', '-yaw']
    assert report['gripper_m'] == pytest.approx([0.037, 0.015], abs=0.003)
    assert 'moves as the profile wx250s says' in errors


def test_nobody_there_is_no_consent(domain):
    process = start_check(domain)
    output, _ = process.communicate(timeout=120)

    assert process.returncode == 1
    assert '+x' not in output


def test_ctrl_c_stops_the_arm(domain):
    process = start_until_it_moves(domain)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)

    assert process.returncode == 130
    with ArmLink(load_arm_profile('wx250s'), domain) as link:
        assert link.listen(20.0, lambda: link.heard.read() is not None)
        before = link.heard.arm_state().joint_positions_rad
        link.listen(0.5)
        assert link.heard.arm_state().joint_positions_rad == pytest.approx(before, abs=1e-4)


def test_the_emergency_stop_stops_it(domain):
    process = start_until_it_moves(domain)
    with OperatorClient(domain) as client:
        estop = topics.ESTOP.publisher(client._node)
        estop.publish(Bool(data=False))
        client.wait_for(lambda: process.poll() is not None or estop.publish(Bool(data=False)), 60)
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    assert 'emergency stop' in output
