"""The demo where ROS is installed: simulation, Servo stand-in, controller and perception."""

from launch import LaunchDescription
from magma_ros.nodes.launch_actions import launch_actions
from magma_ros.nodes.node_program import DEMO_PROGRAMS


def generate_launch_description():
    """What ``ros2 launch magma_ros demo_sim.launch.py`` starts; ``magma demo`` starts the same."""
    return LaunchDescription(launch_actions(DEMO_PROGRAMS))
