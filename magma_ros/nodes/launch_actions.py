"""Turns node programs into actions of ROS 2's launch; only launch files import this."""

from __future__ import annotations

from collections.abc import Iterable

from launch.action import Action
from launch.actions import SetEnvironmentVariable
from launch_ros.actions import Node

from magma_ros.nodes.node_program import NodeProgram
from magma_ros.resources import config_path
from magma_ros.ros.process_environment import process_environment


def launch_actions(programs: Iterable[NodeProgram]) -> list[Action]:
    """The environment our nodes need, then a node action for each program, in order."""
    variables = process_environment(inherited={}).items()
    return [
        *(SetEnvironmentVariable(name, value) for name, value in variables),
        *(_node(program) for program in programs),
    ]


def _node(program: NodeProgram) -> Node:
    parameters: list = [str(config_path(file)) for file in program.files]
    if program.parameters:
        parameters.append(dict(program.parameters))
    return Node(
        package=program.package,
        executable=program.executable or program.name,
        name=program.name,
        namespace=program.namespace or None,
        parameters=parameters,
        remappings=list(program.remappings),
        arguments=list(program.arguments),
        output='screen',
    )
