"""What a comparison session needs beside a bringup or a demo: the recorder, and a hand to drive.

ros2 launch magma_ros session.launch.py arm:=wx250s directory:=/data/session_1/bags devices:=joy
"""

from launch.actions import DeclareLaunchArgument, OpaqueFunction

from launch import LaunchDescription
from magma_ros.nodes.bringup import recorder_programs, teleop_programs
from magma_ros.nodes.launch_actions import launch_actions

# Name, default, choices (none: any), meaning.
ARGUMENTS = (
    ('arm', 'wx250s', ('wx250s', 'wxai', 'fr3', 'panda'), 'a file of config/arms'),
    ('directory', 'runs/episodes', (), 'where episodes go, one folder each'),
    ('pictures', 'as_is', ('as_is', 'jpeg', 'png', 'video'), 'how raw pictures are stored'),
    ('devices', 'joy', (), 'files of config/teleop, or paths of yours; commas'),
    ('sim', 'false', ('true', 'false'), 'a simulated table: its pictures may stand still'),
)


def generate_launch_description():
    """Arguments first, then the nodes they ask for."""
    declared = [
        DeclareLaunchArgument(
            name, default_value=default, choices=list(choices) or None, description=meaning
        )
        for name, default, choices, meaning in ARGUMENTS
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=_nodes)])


def _nodes(context):
    given = {name: context.launch_configurations[name] for name, *_ in ARGUMENTS}
    recorder = recorder_programs(
        given['arm'], given['directory'], given['pictures'], given['sim'] == 'true'
    )
    return launch_actions((*recorder, *teleop_programs(given['arm'], given['devices'])))
