"""Which nodes one arm is brought up with: simulated, mocked or real, with MoveIt or without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from magma_ros.camera.extrinsics_file import read_camera_pose
from magma_ros.errors import ConfigurationError
from magma_ros.nodes.moveit_programs import Bringup, moveit_programs
from magma_ros.nodes.node_program import (
    CAMERA_PROGRAM,
    DEMO_PROGRAMS,
    RECORDER_PROGRAM,
    TELEOP_PROGRAM,
    NodeProgram,
)
from magma_ros.robot.arm_profile import ArmProfile, load_arm_profile

DEFAULT_ARM = 'wx250s'  # whose names ros/topics.py has
SIMULATED_ARMS = ('wx250s',)
REALSENSE = NodeProgram(
    'camera', ('realsense.yaml',), 'realsense2_camera', 'realsense2_camera_node', 'camera'
)

GAME_CONTROLLER = NodeProgram('game_controller_node', package='joy')


def bringup_programs(wanted: Bringup) -> tuple[NodeProgram, ...]:
    """Everything that runs for one arm, in the order of starting.

    Raises:
        ConfigurationError: a combination that is not safe or not there.
    """
    if wanted.servo == 'stand_in' and not wanted.sim:
        raise ConfigurationError(
            'the Servo stand-in moves simulated arms only: use servo:=moveit, or sim:=true'
        )
    if wanted.sim and wanted.arm not in SIMULATED_ARMS:
        raise ConfigurationError(
            f'there is no simulation of {wanted.arm}, only of {", ".join(SIMULATED_ARMS)}: '
            'use sim:=false hardware:=mock, or one of those'
        )
    profile = load_arm_profile(wanted.overlay or wanted.arm)
    if profile.name != wanted.arm:
        raise ConfigurationError(f'{wanted.overlay} is an overlay of {profile.name}')
    ours = [_of_ours(program, wanted, profile) for program in DEMO_PROGRAMS]
    if not wanted.sim:
        ours = [program for program in ours if program.name != 'sim_node']
    moveit: list[NodeProgram] = []
    if wanted.servo == 'moveit':
        ours = [program for program in ours if program.name != 'servo_stand_in_node']
        moveit = moveit_programs(wanted, profile)
    return (*_cameras(wanted), *moveit, *ours)


def camera_program(source: str) -> NodeProgram:
    """``camera_node`` with this source; ``direct`` is a RealSense camera."""
    parameters = {} if source == 'direct' else {'source': source}
    return replace(CAMERA_PROGRAM, parameters=parameters)


def _cameras(wanted: Bringup) -> tuple[NodeProgram, ...]:
    if wanted.sim or wanted.camera == 'none':
        return ()
    return (REALSENSE if wanted.camera == 'realsense' else camera_program(wanted.camera),)


def teleop_programs(
    arm: str, devices: str, recording: str = '', joy_node: bool = False
) -> tuple[NodeProgram, ...]:
    """What is started to drive by hand, beside everything else.

    ``devices`` and ``recording`` are parameters of ``teleop_node``.

    Raises:
        ConfigurationError: there is no such arm.
    """
    profile = load_arm_profile(arm)
    parameters = {'arm': arm, 'devices': devices, 'recording': recording}
    ours = replace(TELEOP_PROGRAM, parameters=parameters, remappings=remappings(profile))
    return (*((GAME_CONTROLLER,) if joy_node else ()), ours)


def recorder_programs(
    arm: str, directory: str, pictures: str, sim: bool = False
) -> tuple[NodeProgram, ...]:
    """What is started to record, beside everything else; parameters of ``recorder_node``.

    Raises:
        ConfigurationError: there is no such arm.
    """
    profile = load_arm_profile(arm)
    parameters = {'arm': arm, 'directory': directory, 'pictures': pictures}
    files = (*RECORDER_PROGRAM.files, *(('sim.yaml',) if sim else ()))
    return (
        replace(
            RECORDER_PROGRAM, files=files, parameters=parameters, remappings=remappings(profile)
        ),
    )


def _of_ours(program: NodeProgram, wanted: Bringup, profile: ArmProfile) -> NodeProgram:
    """The program for this arm: its name as parameter, its topics in the place of ours."""
    files = tuple(file for file in program.files if wanted.sim or file != 'sim.yaml')
    parameters: dict[str, Any] = (
        {} if program.name == 'supervisor_node' else {'arm': wanted.overlay or profile.name}
    )
    if program.name == 'perception_node':
        parameters['model'] = wanted.model
        if wanted.calibration:
            parameters['camera_pose_source'] = 'parameter'
            parameters['camera_pose'] = read_camera_pose(Path(wanted.calibration))
    return replace(program, files=files, parameters=parameters, remappings=remappings(profile))


def remappings(profile: ArmProfile) -> tuple[tuple[str, str], ...]:
    """From the names of ros/topics.py, which are those of the default arm, to this arm's."""
    ours = load_arm_profile(DEFAULT_ARM)
    pairs = [
        (ours.joint_states_topic, profile.joint_states_topic),
        (ours.trajectory_topic, profile.trajectory_topic),
        *_of_action(ours.trajectory_action, profile.trajectory_action),
        *_of_action(ours.gripper_name, profile.gripper_name),
    ]
    return tuple((name, other) for name, other in pairs if name != other)


def _of_action(name: str, other: str) -> list[tuple[str, str]]:
    """ROS remaps the topics and services of an action, not the action as a whole."""
    parts = ('send_goal', 'cancel_goal', 'get_result', 'feedback', 'status')
    return [(f'{name}/_action/{part}', f'{other}/_action/{part}') for part in parts]
