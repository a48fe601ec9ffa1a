"""Driving by hand, beside a bringup or a demo that runs already; docs/teleop.md.

ros2 launch magma_ros teleop.launch.py devices:=joy joy_node:=true
"""

from launch.actions import DeclareLaunchArgument, OpaqueFunction

from launch import LaunchDescription
from magma_ros.nodes.bringup import teleop_programs
from magma_ros.nodes.launch_actions import launch_actions

# Name, default, choices (none: any), meaning.
ARGUMENTS = (
    ('arm', 'wx250s', ('wx250s', 'wxai', 'fr3', 'panda'), 'a file of config/arms'),
    ('devices', 'joy', (), 'files of config/teleop, or paths of yours; commas'),
    ('recording', '', (), 'bag folder of the episode that the device replay repeats'),
    ('joy_node', 'false', ('true', 'false'), 'start game_controller_node of the package joy, too'),
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
    given['joy_node'] = given['joy_node'] == 'true'
    return launch_actions(teleop_programs(**given))
