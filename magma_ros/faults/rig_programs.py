"""Which processes a rig has, and with which parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from magma_ros.nodes.controller_parameters import ControllerParameters
from magma_ros.nodes.supervisor_node import SupervisorParameters
from magma_ros.resources import share_directory

ARM = 'wx250s'
# Nobody publishes a calibration or a lock file here, and the rig's policy is no model.
WAIVED = 'calibration, kinematics, model_hash, model_warm'
DRIVING = (0.0, 0.9, 0.0, 0.0, 0.0, 0.0, 1.0)  # of the scripted model, in its units: to the left


@dataclass(frozen=True)
class Program:
    """One process: how it is started."""

    name: str
    module: str
    words: tuple[str, ...] = ()
    is_told: bool = False  # one of the rig's own, which answer commands
    reads_truth: bool = False  # gets the reading end of the arm's record
    writes_truth: bool = False
    in_ros: bool = True
    is_prompt: bool = False  # real-time where allowed, as real hardware and MoveIt Servo are


JUDGE = Program('judge', 'judge', ('--arm', ARM), True, reads_truth=True, in_ros=False)
ARM_PROGRAM = Program(
    'fake_arm', 'fake_arm', ('--arm', ARM), True, writes_truth=True, is_prompt=True
)
POLICY = Program('perception_node', 'fake_perception', (), True)
CAMERA = Program('fake_camera', 'fake_camera', (), True)
OPERATOR = Program('operator', 'fake_operator', (), True, is_prompt=True)
CHAOS = Program('chaos', 'chaos', (), True)
RIG_KINDS = ('policy', 'camera', 'clock')


def rig_programs(kind: str, patience: float) -> tuple[Program, ...]:
    """All processes in the order of starting.

    Args:
        kind: ``policy``: a scripted policy in the place of perception; ``camera``: perception
            itself, with a scripted model and a fake camera; ``clock``: as ``policy``, on /clock.
        patience: every time after which silence counts, over its default.
    """
    nodes = (
        Program('servo_stand_in_node', '', node_words('servo_stand_in_node', {}), is_prompt=True),
        Program('supervisor_node', '', node_words('supervisor_node', _supervisor(patience))),
        Program('controller_node', '', node_words('controller_node', _controller(patience))),
    )
    seeing: tuple[Program, ...] = (POLICY,)
    if kind == 'camera':
        seeing = (
            CAMERA,
            Program('perception_node', '', node_words('perception_node', PERCEPTION)),
        )
    programs = (JUDGE, ARM_PROGRAM, CHAOS, *nodes, *seeing, OPERATOR)
    if kind != 'clock':
        return programs
    return tuple(
        replace(one, words=(*one.words, '--ros-args', '-p', 'use_sim_time:=true'))
        if one.in_ros and one not in (CHAOS, OPERATOR)
        else one
        for one in programs
    )


def node_words(node_name: str, parameters: dict[str, Any]) -> tuple[str, ...]:
    """The command line of one of our nodes: its file under config/ if it has one, and more."""
    file = share_directory() / 'config' / f'{node_name.removesuffix("_node")}.yaml'
    return (
        '--ros-args',
        *(('--params-file', str(file)) if file.is_file() else ()),
        *parameter_words(parameters),
    )


def parameter_words(parameters: dict[str, Any]) -> tuple[str, ...]:
    """The words that set parameters, after ``--ros-args``; later ones win."""
    given = [f'{name}:={_written(value)}' for name, value in parameters.items()]
    return tuple(word for one in given for word in ('-p', one))


PERCEPTION: dict[str, Any] = {
    'model': 'scripted',
    'mode': 'direct',
    'scripted_actions': list(DRIVING),
    'camera_pose_source': 'parameter',
}


def _controller(patience: float) -> dict[str, Any]:
    return {
        'simulated': True,
        'waived_checks': WAIVED,
        **_longer(ControllerParameters(), patience, CONTROLLER_TIMES),
    }


def _supervisor(patience: float) -> dict[str, Any]:
    return _longer(SupervisorParameters(), patience, SUPERVISOR_TIMES)


CONTROLLER_TIMES = (
    'joints_hold_s',
    'joints_stop_s',
    'perception_hold_s',
    'supervisor_hold_s',
    'supervisor_stop_s',
    'estop_s',
    'deadman_hold_s',
    'overrun_hold_s',
    'overrun_stop_s',
)
SUPERVISOR_TIMES = ('controller_hold_s', 'controller_stop_s', 'perception_hold_s', 'estop_s')


def _longer(defaults: Any, patience: float, names: tuple[str, ...]) -> dict[str, float]:
    return {name: float(getattr(defaults, name)) * patience for name in names}


def _written(value: Any) -> str:
    """A value as the command line of ROS reads it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and math.isnan(value):
        return '.nan'
    return f'"{value}"' if isinstance(value, str) else str(value)
