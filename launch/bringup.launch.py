"""One arm with everything it needs; docs/arms.md says what to do before and after.

ros2 launch magma_ros bringup.launch.py arm:=wx250s hardware:=mock camera:=none
"""

from launch.actions import DeclareLaunchArgument, OpaqueFunction

from launch import LaunchDescription
from magma_ros.nodes.bringup import Bringup, bringup_programs
from magma_ros.nodes.launch_actions import launch_actions

# Name, default, choices (none: any), meaning.
ARGUMENTS = (
    ('arm', 'wx250s', ('wx250s', 'wxai', 'fr3', 'panda'), 'a file of config/arms'),
    ('overlay', '', (), 'what differs on this table, see magma arm-check --record-box'),
    ('model', '', (), 'folder of an exported model; empty: magma-nano'),
    ('sim', 'false', ('true', 'false'), 'a simulated table with its camera'),
    (
        'camera',
        'realsense',
        (),
        'realsense: its driver; direct: without it; none: yours runs; '
        'or a video, a folder of pictures, a bag',
    ),
    ('calibration', '', (), 'file of magma calibrate solve; empty: the camera is in /tf_static'),
    ('servo', 'moveit', ('moveit', 'stand_in'), 'stand_in: simulation without MoveIt'),
    ('hardware', 'real', ('real', 'mock'), 'of ros2_control, where it is ours to start'),
    ('robot_ip', '', (), 'of a real arm that is reached by network'),
    ('kinematics', 'kinematics', ('kinematics', 'kinematics_pick_ik'), 'solver file'),
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
    given['sim'] = given['sim'] == 'true'
    return launch_actions(bringup_programs(Bringup(**given)))
