"""The demo where ROS is installed: simulation, Servo stand-in, controller and perception.

``magma demo`` starts the same nodes with the same files (``magma_ros/tools/node_processes.py``;
``test/agreement/test_launch.py`` compares the two).
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import SetEnvironmentVariable
from launch_ros.actions import Node

from launch import LaunchDescription
from magma_ros.ros.process_environment import process_environment

# Node and its parameter files under config/; later files win.
NODES = (
    ('sim_node', ('sim.yaml',)),
    ('servo_stand_in_node', ('servo_stand_in.yaml', 'sim.yaml')),
    ('controller_node', ('controller.yaml', 'sim.yaml')),
    ('perception_node', ('perception.yaml', 'sim.yaml')),
)


def generate_launch_description():
    """What ``ros2 launch magma_ros demo_sim.launch.py`` starts."""
    config = Path(get_package_share_directory('magma_ros')) / 'config'
    variables = [
        SetEnvironmentVariable(name, value)
        for name, value in process_environment(inherited={}).items()
    ]
    nodes = [
        Node(
            package='magma_ros',
            executable=name,
            name=name,
            parameters=[str(config / file) for file in files],
            output='screen',
        )
        for name, files in NODES
    ]
    return LaunchDescription([*variables, *nodes])
