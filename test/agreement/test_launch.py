"""The launch file and ``magma demo`` start the same nodes with the same parameter files."""

import ast
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from magma_ros.resources import config_path, share_directory

pytest.importorskip('rclpy')

from magma_ros.nodes.node_processes import DEMO_PROGRAMS  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


def launched_nodes():
    """``NODES`` of the launch file, read without running it: PyPI has no ``launch``."""
    tree = ast.parse((share_directory() / 'launch' / 'demo_sim.launch.py').read_text())
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and statement.targets[0].id == 'NODES':
            return ast.literal_eval(statement.value)
    raise AssertionError('the launch file has no NODES')


def test_launch_file_and_processes_start_the_same():
    assert launched_nodes() == tuple((program.name, program.files) for program in DEMO_PROGRAMS)


def test_every_launched_node_is_installed():
    setup = (ROOT / 'setup.py').read_text()

    for name, _ in launched_nodes():
        assert f"'{name}'" in setup, f'setup.py does not install {name}'


@pytest.mark.parametrize('program', DEMO_PROGRAMS, ids=lambda program: program.name)
def test_parameter_files_have_a_section_for_their_node(program):
    for name in program.files:
        sections = YAML(typ='safe').load(config_path(name).read_text())
        wanted = {f'/{program.name}', *(f'/{other.name}' for other in DEMO_PROGRAMS)}
        assert set(sections) <= wanted
        # sim.yaml goes to every node and speaks of those where the simulation differs.
        assert name == 'sim.yaml' or f'/{program.name}' in sections
