"""The tables of the README that must equal the code; a test compares them.

``python -m magma_ros.tools.interface_tables README.md`` writes them anew between their markers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path

from magma_ros.errors import ConfigurationError
from magma_ros.nodes.camera_node import CameraParameters
from magma_ros.nodes.controller_parameters import ControllerParameters
from magma_ros.nodes.perception_setup import PerceptionParameters
from magma_ros.nodes.recorder_parameters import RecorderParameters
from magma_ros.nodes.servo_stand_in_node import ServoParameters
from magma_ros.nodes.sim_node import SimParameters
from magma_ros.nodes.supervisor_node import SupervisorParameters
from magma_ros.nodes.teleop_node import TeleopParameters
from magma_ros.ros.topics import SERVICES, TOPICS
from magma_ros.tools.magma import COMMANDS

PARAMETERS = {
    'perception_node': PerceptionParameters,
    'controller_node': ControllerParameters,
    'supervisor_node': SupervisorParameters,
    'servo_stand_in_node': ServoParameters,
    'sim_node': SimParameters,
    'teleop_node': TeleopParameters,
    'recorder_node': RecorderParameters,
    'camera_node': CameraParameters,
}


def command_table() -> str:
    """The subcommands of ``magma``."""
    rows = ((f'`magma {name}`', command.summary) for name, command in COMMANDS.items())
    return make_table(('command', 'what it does'), rows)


def topic_table() -> str:
    """Topics, services and actions."""
    rows = [
        (f'`{t.name}`', _name(t.kind), f'{t.publishers} -> {t.subscribers}', t.meaning)
        for t in TOPICS
    ]
    for one in SERVICES:
        who = f'{"action" if one.is_action else "service"} of {one.server}'
        rows.append((f'`{one.name}`', _name(one.kind), who, one.meaning))
    return make_table(('name', 'type', 'who', 'meaning'), rows)


def parameter_table() -> str:
    """Parameters of all nodes with their defaults."""
    rows = [
        (node, f'`{one.name}`', f'`{one.default!r}`', one.metadata['meaning'])
        for node, kind in PARAMETERS.items()
        for one in fields(kind)
    ]
    return make_table(('node', 'parameter', 'default', 'meaning'), rows)


TABLES: dict[str, Callable[[], str]] = {
    'commands': command_table,
    'topics': topic_table,
    'parameters': parameter_table,
}


def with_tables(text: str, tables: Mapping[str, Callable[[], str]] = TABLES) -> str:
    """The text with each table written anew between ``<!-- name -->`` and ``<!-- /name -->``.

    Raises:
        ConfigurationError: a marker is missing.
    """
    for name, make in tables.items():
        before, opening, rest = text.partition(f'<!-- {name} -->\n')
        _, closing, after = rest.partition(f'<!-- /{name} -->')
        if not opening or not closing:
            raise ConfigurationError(f'<!-- {name} --> and <!-- /{name} --> must both be there')
        text = f'{before}{opening}{make()}{closing}{after}'
    return text


def make_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ('---',) * len(head), *rows]
    return ''.join(f'| {" | ".join(line)} |\n' for line in lines)


def _name(kind: type) -> str:
    return f'{kind.__module__.split(".")[0]}/{kind.__name__}'


if __name__ == '__main__':
    page = Path(sys.argv[1])
    page.write_text(with_tables(page.read_text(encoding='utf-8')), encoding='utf-8')
