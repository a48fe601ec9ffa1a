"""Every topic, service and action of magma_ros: one table that nodes and documentation read.

Another camera, arm or Servo is reached by ROS remapping (``-r old:=new``), except for the camera,
whose namespace is a parameter of the perception node because drivers differ in it. What Humble
lacks is there by name, so that this module can be imported everywhere.
"""

from __future__ import annotations

from control_msgs.action import FollowJointTrajectory
from control_msgs.msg import JointJog
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped, TwistStamped
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Header, String
from std_srvs.srv import SetBool, Trigger
from tf2_msgs.msg import TFMessage
from trajectory_msgs.msg import JointTrajectory

from magma_ros.ros.camera_topics import camera_topics, compressed_colour_topic
from magma_ros.ros.perception_topics import (
    ANSWER,
    CLICKED_POINT,
    OVERLAY,
    QUESTION,
    REFERENCE_OVERLAY,
    TRACE,
    TRACE_PATH,
)
from magma_ros.ros.recorder_topics import RECORDER_SERVICES, RECORDER_TOPICS
from magma_ros.ros.teleop_topics import TELEOP_TOPICS
from magma_ros.ros.topic_kinds import (
    COMMANDS,
    DRIVER,
    ENCODERS,
    LATCHED,
    LATCHED_TRANSFORMS,
    Service,
    Topic,
    make_topic,
)

# ---------------------------------------------------------------------------------------- magma

INSTRUCTION = make_topic(
    '/magma/instruction', String, LATCHED, 'operator', 'perception', 'what to do; empty: nothing'
)
ACTION_CHUNK = make_topic(
    '/magma/action_chunk',
    JointTrajectory,
    COMMANDS,
    'perception, teleop',
    'controller',
    'deltas of the gripper; stamp of the picture; joint names x_m ... gripper',
)
ACTION_INFO = make_topic(
    '/magma/action_info',
    DiagnosticStatus,
    COMMANDS,
    'perception, teleop',
    'controller',
    'what a JointTrajectory has no field for: sequence, source, reference, model, times',
)
STATE = make_topic(
    '/magma/state',
    DiagnosticStatus,
    LATCHED,
    'controller',
    'operator, evaluation',
    'mode, reasons, ages, clipped limits, lateness; at changes and 5 Hz',
)
PERCEPTION_STATE = make_topic(
    '/magma/perception_state',
    DiagnosticStatus,
    LATCHED,
    'perception',
    'controller, operator',
    'what perception does; level ERROR asks the controller to hold',
)
CONFIRMATION = make_topic(
    '/magma/confirmation',
    String,
    COMMANDS,
    'operator',
    'controller',
    'the nonce of /magma/state, 10 Hz or more while a person holds the button that raises',
)
DEADMAN = make_topic(
    '/magma/deadman',
    Bool,
    COMMANDS,
    'teleop',
    'controller',
    '20 Hz, true while pressed: the person steers, the policy does not',
)
SUPERVISION = make_topic(
    '/magma/supervisor_state',
    DiagnosticStatus,
    COMMANDS,
    'supervisor',
    'controller',
    '20 Hz, what the supervisor demands: nothing, hold or stop',
)
ESTOP = make_topic(
    '/magma/estop',
    Bool,
    COMMANDS,
    'operator',
    'controller, supervisor',
    '10 Hz, true is well; false stops, and so does silence once heard',
)
DIAGNOSTICS = make_topic('/diagnostics', DiagnosticArray, COMMANDS, 'all', 'viewers', '1 Hz')

# ---------------------------------------------------------------------------------- arm and Servo

JOINT_STATES = make_topic(
    '/wx250s/joint_states',
    JointState,
    ENCODERS,
    'arm',
    'controller, perception, Servo',
    'encoders of arm and gripper, 100 Hz',
)
ARM_TRAJECTORY = make_topic(
    '/wx250s/arm_controller/joint_trajectory',
    JointTrajectory,
    COMMANDS,
    'Servo',
    'arm',
    'the next tenths of a second of joint motion',
)
TWIST = make_topic(
    '/servo_node/delta_twist_cmds',
    TwistStamped,
    COMMANDS,
    'controller',
    'Servo',
    'velocity of the gripper, base axes, 50 Hz with fresh stamps',
)
POSE_TARGET = make_topic(
    '/servo_node/pose_target_cmds',
    PoseStamped,
    COMMANDS,
    'controller',
    'Servo',
    'pose of the tip in the base, 50 Hz in small steps (Jazzy and later)',
)
JOINT_JOG = make_topic(
    '/servo_node/delta_joint_cmds',
    JointJog,
    COMMANDS,
    'operator',
    'Servo',
    'velocities of joints by name, the way out of a singularity',
)
SERVO_STATUS = make_topic(
    '/servo_node/status',
    'moveit_msgs/msg/ServoStatus',  # an Int8 in Humble
    COMMANDS,
    'Servo',
    'controller',
    'in each of its loops',
)
TRANSFORMS = make_topic('/tf', TFMessage, DRIVER, 'arm', 'viewers', 'base to tool')
STATIC_TRANSFORMS = make_topic(
    '/tf_static', TFMessage, LATCHED_TRANSFORMS, 'arm, camera', 'perception', 'base to camera'
)
SIM_OUTCOME = make_topic(
    '/magma/sim/outcome',
    DiagnosticStatus,
    LATCHED,
    'sim',
    'evaluation',
    'scenario, ground truth and success, at changes and 10 Hz; never for a policy',
)

HEARTBEAT_NODES = (
    'perception_node',
    'controller_node',
    'supervisor_node',
    'servo_stand_in_node',
    'sim_node',
    'teleop_node',
    'recorder_node',
    'camera_node',
)


def heartbeat_topic(node_name: str) -> Topic:
    """The heartbeat of one node; sent only while the node does its work."""
    name = f'/magma/heartbeat/{node_name}'
    meaning = '10 Hz or more (the controller: 50 Hz), stamp and node name'
    return make_topic(name, Header, COMMANDS, node_name, 'controller, supervisor', meaning)


# ------------------------------------------------------------------------------------- services

OPERATOR_SERVICES = {
    request: Service(f'/magma/{request}', Trigger, 'controller', meaning)
    for request, meaning in {
        'arm': 'begin arming: ready after the confirmation was held for 1 s and all checks pass',
        'disarm': 'brake and stop commanding',
        'start': 'let the policy move the arm; needs the confirmation',
        'hold': 'brake and stay',
        'clear': 'leave a latched stop, to disarmed; needs the confirmation',
        'home': 'a planned motion to the start pose; needs the confirmation',
        'approach': 'the same to 80 mm below that pose, or as far as the box reaches',
        'retreat': 'the same to 80 mm above that pose, or as far as the box reaches',
        'estop': 'brake and latch',
    }.items()
}
SIM_RESET = Service(
    '/magma/sim/reset', Trigger, 'sim', 'lay the table as the parameters of the sim node say'
)
SWITCH_COMMAND_TYPE = Service(
    '/servo_node/switch_command_type',
    'moveit_msgs/srv/ServoCommandType',  # not in Humble
    'Servo',
    'twist, pose or joint jog',
)
PAUSE_SERVO = Service('/servo_node/pause_servo', SetBool, 'Servo', 'no output while paused')
FOLLOW_TRAJECTORY = Service(
    '/wx250s/arm_controller/follow_joint_trajectory',
    FollowJointTrajectory,
    'arm',
    'a planned motion',
    is_action=True,
)
GRIPPER = Service(
    '/wx250s/gripper_controller/gripper_cmd',
    'control_msgs/action/ParallelGripperCommand',  # not in Humble
    'arm',
    'position of the gripper joint in m',
    is_action=True,
)

TOPICS: tuple[Topic, ...] = (
    INSTRUCTION,
    ACTION_CHUNK,
    ACTION_INFO,
    TRACE,
    TRACE_PATH,
    OVERLAY,
    REFERENCE_OVERLAY,
    CLICKED_POINT,
    QUESTION,
    ANSWER,
    STATE,
    PERCEPTION_STATE,
    ESTOP,
    CONFIRMATION,
    DEADMAN,
    SUPERVISION,
    *TELEOP_TOPICS,
    *RECORDER_TOPICS,
    DIAGNOSTICS,
    *camera_topics().values(),
    compressed_colour_topic(),
    JOINT_STATES,
    ARM_TRAJECTORY,
    TWIST,
    POSE_TARGET,
    JOINT_JOG,
    SERVO_STATUS,
    TRANSFORMS,
    STATIC_TRANSFORMS,
    SIM_OUTCOME,
    *(heartbeat_topic(name) for name in HEARTBEAT_NODES),
)
SERVICES: tuple[Service, ...] = (
    *OPERATOR_SERVICES.values(),
    *RECORDER_SERVICES.values(),
    SIM_RESET,
    SWITCH_COMMAND_TYPE,
    PAUSE_SERVO,
    FOLLOW_TRAJECTORY,
    GRIPPER,
)
