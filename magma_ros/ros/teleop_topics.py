"""Topics of driving by hand: what ``teleop_node`` hears from devices, and says about them."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import TwistStamped
from sensor_msgs.msg import JointState, Joy
from std_msgs.msg import Float64

from magma_ros.ros.topic_kinds import COMMANDS, ENCODERS, LATCHED, NEWEST, Topic, make_topic

TELEOP_STATE = make_topic(
    '/magma/teleop_state',
    DiagnosticStatus,
    LATCHED,
    'teleop',
    'operator, recorder',
    'which device steers, and why others cannot; at changes',
)
TELEOP_TWIST = make_topic(
    '/magma/teleop/twist',
    TwistStamped,
    COMMANDS,
    'console',
    'teleop',
    '20 Hz while a person holds the switch; frame_id: base, tool, camera or the base link',
)
TELEOP_GRIPPER = make_topic(
    '/magma/teleop/gripper', Float64, COMMANDS, 'console', 'teleop', 'opening, 0 closed to 1 open'
)
LEADER_JOINTS = make_topic(
    '/magma/teleop/leader_joints', JointState, ENCODERS, 'leader arm', 'teleop', 'of a second arm'
)
JOY = make_topic('/joy', Joy, NEWEST, 'game_controller_node', 'teleop', 'a gamepad')
SPACENAV = make_topic('/spacenav/joy', Joy, NEWEST, 'spacenav_node', 'teleop', 'a SpaceMouse')

TELEOP_TOPICS: tuple[Topic, ...] = (
    TELEOP_STATE,
    TELEOP_TWIST,
    TELEOP_GRIPPER,
    LEADER_JOINTS,
    JOY,
    SPACENAV,
)
