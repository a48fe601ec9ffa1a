"""A node as something to start, and the nodes of the demo.

``magma`` starts these as processes (``node_processes.py``), launch files as launch actions
(``launch_actions.py``): one list, two ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class NodeProgram:
    """A node and its parameter files under config/; later files win, ``parameters`` over all."""

    name: str
    files: tuple[str, ...] = ()
    package: str = 'magma_ros'
    executable: str = ''  # empty: as the name
    namespace: str = ''
    parameters: Mapping[str, Any] = field(default_factory=dict)
    remappings: tuple[tuple[str, str], ...] = ()
    arguments: tuple[str, ...] = ()


# In the order of starting; see ``NodeProcesses.stop`` for the order of stopping.
DEMO_PROGRAMS = (
    NodeProgram('sim_node', ('sim.yaml',)),
    NodeProgram('servo_stand_in_node', ('servo_stand_in.yaml', 'sim.yaml')),
    NodeProgram('supervisor_node', ('supervisor.yaml', 'sim.yaml')),
    NodeProgram('controller_node', ('controller.yaml', 'sim.yaml')),
    NodeProgram('perception_node', ('perception.yaml', 'sim.yaml')),
)
# Beside them, where a person may drive; its devices have files of their own in config/teleop.
TELEOP_PROGRAM = NodeProgram('teleop_node')
RECORDER_PROGRAM = NodeProgram('recorder_node', ('recorder.yaml',))
# In the place of a camera's own driver.
CAMERA_PROGRAM = NodeProgram('camera_node', ('camera.yaml',))
