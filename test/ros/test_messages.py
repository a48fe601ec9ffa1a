import pytest

rclpy = pytest.importorskip('rclpy')

from builtin_interfaces.msg import Duration  # noqa: E402
from control_msgs.action import (  # noqa: E402
    FollowJointTrajectory,
    GripperCommand,
    ParallelGripperCommand,
)
from control_msgs.msg import JointJog, JointTolerance  # noqa: E402
from moveit_msgs.msg import MoveItErrorCodes, ServoStatus  # noqa: E402
from moveit_msgs.srv import ServoCommandType  # noqa: E402
from rclpy.action import ActionClient  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.serialization import deserialize_message, serialize_message  # noqa: E402
from tf2_msgs.msg import TFMessage  # noqa: E402
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint  # noqa: E402

from magma_ros.ros.servo_client import CommandMode  # noqa: E402
from magma_ros.ros.servo_jazzy import COMMAND_TYPES, STATUS_NAMES  # noqa: E402

pytestmark = pytest.mark.ros


@pytest.fixture
def node(domain_id, monkeypatch):
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain_id)
    node = rclpy.create_node('message_test', context=context)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


TRIES = 5  # feedback that is sent before server and client have met is lost


def spin_until(node, done, timeout_s=45.0):
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    deadline_ns = node.get_clock().now().nanoseconds + timeout_s * 1e9
    while not done() and node.get_clock().now().nanoseconds < deadline_ns:
        executor.spin_once(timeout_sec=0.1)
    executor.remove_node(node)
    executor.shutdown()
    assert done(), f'nothing happened within {timeout_s} s'


def test_transforms_arrive_from_another_process(node, start_program):
    start_program('serve_trajectory.py')
    received = []
    node.create_subscription(TFMessage, '/tf', received.append, 10)

    spin_until(node, lambda: received)

    transform = received[0].transforms[0]
    assert (transform.header.frame_id, transform.child_frame_id) == ('base', 'gripper')
    assert transform.transform.translation.z == 0.25


def test_trajectory_action_round_trip_with_another_process(node, start_program):
    start_program('serve_trajectory.py')
    client = ActionClient(node, FollowJointTrajectory, 'follow_joint_trajectory')
    spin_until(node, client.server_is_ready)
    points = [
        JointTrajectoryPoint(positions=[0.1 * n], time_from_start=Duration(sec=n)) for n in (1, 2)
    ]
    goal = FollowJointTrajectory.Goal(
        trajectory=JointTrajectory(joint_names=['waist'], points=points),
        goal_tolerance=[JointTolerance(name='waist', position=0.01)],
    )
    for _ in range(TRIES):
        feedback = []
        sent = client.send_goal_async(goal, feedback_callback=feedback.append)
        spin_until(node, sent.done)
        assert sent.result().accepted
        answer = sent.result().get_result_async()
        spin_until(node, answer.done)
        if len(feedback) == 2:
            break

    assert answer.result().result.error_code == FollowJointTrajectory.Result.SUCCESSFUL
    assert answer.result().result.error_string == '2 points to waist'
    assert [message.feedback.index for message in feedback] == [0, 1]
    assert feedback[1].feedback.actual.positions[0] == 0.2
    client.destroy()


@pytest.mark.parametrize(
    ('message', 'fields'),
    [
        (TFMessage, {'transforms': 'sequence<geometry_msgs/TransformStamped>'}),
        (ServoStatus, {'code': 'int8', 'message': 'string'}),
        (MoveItErrorCodes, {'val': 'int32', 'message': 'string', 'source': 'string'}),
        (ServoCommandType.Request, {'command_type': 'int8'}),
        (ServoCommandType.Response, {'success': 'boolean'}),
        (
            JointJog,
            {
                'header': 'std_msgs/Header',
                'joint_names': 'sequence<string>',
                'displacements': 'sequence<double>',
                'velocities': 'sequence<double>',
                'duration': 'double',
            },
        ),
        (GripperCommand.Goal, {'command': 'control_msgs/GripperCommand'}),
        (
            GripperCommand.Result,
            {
                'position': 'double',
                'effort': 'double',
                'stalled': 'boolean',
                'reached_goal': 'boolean',
            },
        ),
        (ParallelGripperCommand.Goal, {'command': 'sensor_msgs/JointState'}),
        (
            ParallelGripperCommand.Result,
            {'state': 'sensor_msgs/JointState', 'stalled': 'boolean', 'reached_goal': 'boolean'},
        ),
    ],
)
def test_fields_have_the_order_and_types_of_the_originals(message, fields):
    declared = message.get_fields_and_field_types()

    # Order matters: it is the order on the wire.
    assert list(declared.items()) == list(fields.items())


def test_status_codes_are_those_of_moveit_servo_since_jazzy():
    assert ServoStatus.INVALID == -1
    assert ServoStatus.DECELERATE_FOR_LEAVING_SINGULARITY == 3
    assert ServoStatus.HALT_FOR_COLLISION == 5
    assert ServoCommandType.Request.TWIST == 1
    assert MoveItErrorCodes.NO_IK_SOLUTION == -31


def test_the_numbers_of_the_adapter_are_those_of_the_messages():
    for number, name in STATUS_NAMES.items():
        assert getattr(ServoStatus, name) == number
    request = ServoCommandType.Request
    assert COMMAND_TYPES == {CommandMode.TWIST: request.TWIST, CommandMode.POSE: request.POSE}


def test_messages_survive_serialisation():
    message = ServoStatus(code=ServoStatus.JOINT_BOUND, message='elbow')

    copy = deserialize_message(serialize_message(message), ServoStatus)

    assert copy == message
