"""Recording, beside a bringup or a demo that runs already; docs/recording.md.

ros2 launch magma_ros record.launch.py arm:=wx250s directory:=/data/episodes pictures:=jpeg
"""

from launch.actions import DeclareLaunchArgument, OpaqueFunction

from launch import LaunchDescription
from magma_ros.nodes.bringup import recorder_programs
from magma_ros.nodes.launch_actions import launch_actions

# Name, default, choices (none: any), meaning.
ARGUMENTS = (
    ('arm', 'wx250s', ('wx250s', 'wxai', 'fr3', 'panda'), 'a file of config/arms'),
    ('directory', 'runs/episodes', (), 'where episodes go, one folder each'),
    ('pictures', 'as_is', ('as_is', 'jpeg', 'png', 'video'), 'how raw pictures are stored'),
    ('sim', 'false', ('true', 'false'), 'a simulated table: its pictures may stand still'),
)


def generate_launch_description():
    """Arguments first, then the node they ask for."""
    declared = [
        DeclareLaunchArgument(
            name, default_value=default, choices=list(choices) or None, description=meaning
        )
        for name, default, choices, meaning in ARGUMENTS
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=_nodes)])


def _nodes(context):
    given = {name: context.launch_configurations[name] for name, *_ in ARGUMENTS}
    given['sim'] = given['sim'] == 'true'
    return launch_actions(recorder_programs(**given))
