"""Who may import whom: camera -> image -> model -> motion -> robot, and what stands around."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from source_files import PACKAGE, imported_modules, package_files, parse, short_name

TOP = {'data_types', 'rotations', 'errors', 'latest_value', 'resources', '__version__'}
TOP |= {'yaml_tables'}
FLOW = {'camera', 'image', 'model', 'motion', 'robot'}
MAY_IMPORT = {
    **{name: {'errors', 'data_types'} for name in ('rotations', 'resources', 'yaml_tables')},
    **{name: set() for name in ('__init__', 'data_types', 'errors', 'latest_value')},
    **{name: TOP for name in FLOW},
    'camera': TOP | {'image'},
    'pipeline': TOP | FLOW,
    'serving': TOP | FLOW | {'pipeline'},
    'sim': TOP | FLOW | {'pipeline'},
    'teleop': TOP | FLOW,
    'ros': TOP | FLOW,
    'dataset': TOP | FLOW,
    'nodes': TOP | FLOW | {'pipeline', 'sim', 'ros', 'teleop', 'dataset'},
    'training': TOP | FLOW | {'pipeline', 'sim', 'dataset'},
    'faults': TOP | FLOW | {'sim', 'ros', 'nodes', 'dataset'},
    'evaluation': TOP | FLOW | {'pipeline', 'sim', 'ros', 'nodes', 'dataset'},
}
MAY_IMPORT['benchmarks'] = MAY_IMPORT['evaluation'] | {'evaluation', 'faults', 'teleop'}
MAY_IMPORT['tools'] = MAY_IMPORT['benchmarks'] | {'benchmarks', 'training', 'serving'}

# An evaluation through the nodes starts them as processes, as the magma command does.
STARTS_NODES = {'magma_ros.nodes.node_processes'}
# Running episodes is the one place of the simulator that knows models and the pipeline.
RUNS_EPISODES = {'sim/rollout.py', 'sim/model_policy.py'}
# Those who watch or measure nodes from outside.
WATCHES_NODES = ('evaluation/episode_watch.py', 'benchmarks/', 'faults/')

FILES = package_files()
RCLPY = {'rclpy', 'launch', 'launch_ros', 'tf2_ros', 'rosbag2_py'}
MESSAGES = ('_msgs', '_srvs', '_interfaces')
TORCH = {'torch', 'transformers', 'peft', 'bitsandbytes', 'accelerate'}
HIDING = """
import importlib.abc, sys

class Hiding(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {'rclpy', 'torch', 'transformers', 'mujoco'}:
            raise ModuleNotFoundError(f'{name} is hidden by the test', name=name)

sys.meta_path.insert(0, Hiding())
"""
CLOCKS = {'time', 'time_ns', 'monotonic', 'monotonic_ns', 'perf_counter', 'perf_counter_ns'}
CLOCKS |= {'process_time', 'sleep', 'now', 'utcnow', 'today'}


def unit_of(name: str) -> str:
    """Folder or top file: ``sim`` for sim/world.py, ``pipeline`` for pipeline.py."""
    return name.split('/')[0].removesuffix('.py')


def own_imports(path: Path) -> set[str]:
    return {name for name in imported_modules(parse(path)) if name.startswith('magma_ros.')}


def outside_imports(path: Path) -> set[str]:
    return {name.split('.')[0] for name in imported_modules(parse(path))} - {'magma_ros'}


@pytest.mark.parametrize('path', FILES, ids=short_name)
def test_imports_go_leftwards_only(path: Path) -> None:
    unit = unit_of(short_name(path))
    assert unit in MAY_IMPORT, f'say in MAY_IMPORT what {unit} may import'

    for module in own_imports(path):
        assert module.split('.')[1] in MAY_IMPORT[unit] | {unit}, (
            f'{unit} must not import {module}'
        )


@pytest.mark.parametrize('path', sorted(PACKAGE.glob('sim/*.py')), ids=short_name)
def test_the_simulator_knows_no_model_except_where_episodes_run(path: Path) -> None:
    if short_name(path) not in RUNS_EPISODES:
        units = {module.split('.')[1] for module in own_imports(path)}
        assert not units & {'pipeline', 'model', 'image'}


@pytest.mark.parametrize('path', FILES, ids=short_name)
def test_ros_stays_in_its_folders(path: Path) -> None:
    name = short_name(path)
    ros = {m for m in outside_imports(path) if m in RCLPY or m.endswith(MESSAGES)}

    assert not ros or unit_of(name) in ('ros', 'nodes') or name.startswith(WATCHES_NODES)


@pytest.mark.parametrize('path', FILES, ids=short_name)
def test_torch_is_announced(path: Path) -> None:
    if not any(
        name.split('.')[0] in TORCH or name == 'safetensors.torch'
        for name in imported_modules(parse(path))
    ):
        return
    assert unit_of(short_name(path)) in ('model', 'training', 'benchmarks')
    first_paragraph = (ast.get_docstring(parse(path)) or '').split('\n\n')[0]
    assert 'torch' in first_paragraph, 'the first paragraph of the docstring must say torch'


@pytest.mark.parametrize(
    'path',
    [path for path in FILES if unit_of(short_name(path)) in FLOW | {'teleop'}],
    ids=short_name,
)
def test_time_is_an_argument(path: Path) -> None:
    assert 'time' not in outside_imports(path)
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            is_clock = node.value.id in ('time', 'datetime', 'date') and node.attr in CLOCKS
            assert not is_clock, f'line {node.lineno} reads a clock'


@pytest.mark.parametrize(
    'module', ['pipeline', 'robot.arm_profile', 'model.backends.onnx_model', 'teleop.session']
)
def test_the_core_imports_without_ros_torch_and_simulator(module: str) -> None:
    program = HIDING + f'import magma_ros.{module}'

    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
