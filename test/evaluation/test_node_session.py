"""The whole demo as processes: a scripted path moves the arm to a cube, and faults are told."""

import pytest

pytest.importorskip('rclpy')

from magma_ros.errors import ConfigurationError  # noqa: E402
from magma_ros.evaluation.node_session import NodeSession  # noqa: E402
from magma_ros.image.projection import project  # noqa: E402
from magma_ros.nodes.node_processes import DEMO_PROGRAMS, NodeProcesses  # noqa: E402
from magma_ros.robot.arm_profile import load_arm_profile  # noqa: E402
from magma_ros.ros.operator_client import OperatorClient  # noqa: E402
from magma_ros.sim.camera import SimCamera  # noqa: E402
from magma_ros.sim.path_labels import path_label  # noqa: E402
from magma_ros.sim.scenario import make_scenario  # noqa: E402
from magma_ros.sim.world import World  # noqa: E402

pytestmark = pytest.mark.ros
SEED = 3


@pytest.fixture(scope='module')
def true_path():
    """What a perfect model would draw for the scenario, as HAMSTER writes it."""
    scenario = make_scenario('reach', SEED)
    world = World(load_arm_profile('wx250s'))
    camera = SimCamera(world)
    world.reset(scenario.scene)
    camera.place(scenario.scene)
    points_px = project(camera.model(), path_label(scenario.task, world.truth()).points_m)
    camera.close()
    listed = ', '.join(f'({x / 640:.3f}, {y / 480:.3f})' for x, y in points_px)
    return f'<ans>[{listed}]</ans>'


def test_episode_through_the_nodes(true_path, domain_id):
    scripted = {'model': 'scripted', 'mode': 'path', 'scripted_path': true_path}
    with NodeProcesses(parameters={'perception_node': scripted}, domain_id=domain_id) as nodes:
        with NodeSession(domain_id, nodes.check) as session:
            record = session.run_episode('reach', SEED, time_limit_s=60.0)
        assert record.success
        assert record.instruction == make_scenario('reach', SEED).instruction
        assert len(record.latencies_s) >= 5

        with OperatorClient(domain_id, nodes.check) as operator:
            operator.set_parameters('sim_node', {'task': 'dance'})
            with pytest.raises(ConfigurationError, match='reach, pick, put, push'):
                operator.reset_sim()


def test_a_silent_camera_is_a_reason(domain_id):
    programs = [program for program in DEMO_PROGRAMS if program.name != 'sim_node']
    scripted = {'model': 'scripted', 'mode': 'direct'}
    with (
        NodeProcesses(programs, {'perception_node': scripted}, domain_id=domain_id) as nodes,
        OperatorClient(domain_id, nodes.check) as operator,
    ):
        assert operator.wait_for(lambda: operator.perception.get('reason') == 'CAMERA_STALE', 30.0)
        assert operator.wait_for(lambda: 'CAMERA_STALE' in operator.ask('arm')[1], 5.0)
        assert operator.state['mode'] == 'disarmed'
