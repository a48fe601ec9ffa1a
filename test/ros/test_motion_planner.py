"""One contract for both planners, and what only the one over move_group's actions has."""

import os
import threading

import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy')
pytest.importorskip('moveit_msgs.action')

from fake_move_group import FakeMoveGroup, MoveGroupBrain  # noqa: E402
from fake_moveit_py import FakeMoveItPy  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from sensor_msgs.msg import JointState  # noqa: E402

from magma_ros.data_types import Pose  # noqa: E402
from magma_ros.errors import ArmError, ConfigurationError  # noqa: E402
from magma_ros.robot.arm_profile import load_arm_profile  # noqa: E402
from magma_ros.robot.planning_scene import load_planning_scene  # noqa: E402
from magma_ros.ros import moveit_py_planner  # noqa: E402
from magma_ros.ros.joint_space_planner import JointSpacePlanner  # noqa: E402
from magma_ros.ros.motion_planner import (  # noqa: E402
    JointReader,
    scalings,
    standing_off,
    tip_pose,
)
from magma_ros.ros.move_group_client import MoveGroupClient  # noqa: E402
from magma_ros.ros.planner_finder import PlannerFinder  # noqa: E402

pytestmark = pytest.mark.ros
PROFILE = load_arm_profile('wx250s')
ANSWER_S = 60.0  # the machine may be busy
GOAL = Pose(np.array([0.3, 0.0, 0.1]), np.array([0.0, 0.7071068, 0.0, 0.7071068]))


@pytest.fixture(scope='module')
def nodes():
    """Two nodes and a thread that spins both."""
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=20 + os.getpid() % 80)
    nodes = [rclpy.create_node(name, context=context) for name in ('planner', 'move_group')]
    executor = SingleThreadedExecutor(context=context)
    for node in nodes:
        executor.add_node(node)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    yield nodes
    executor.shutdown()
    thread.join(timeout=30)
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown(context=context)


@pytest.fixture(scope='module')
def move_group(nodes):
    brain = MoveGroupBrain(PROFILE)
    server = FakeMoveGroup(nodes[1], brain)
    planner = MoveGroupClient(
        nodes[0], PROFILE, lambda: brain.joints, answer_s=ANSWER_S, late_s=1.0
    )
    yield planner, server
    planner.close()


@pytest.fixture
def actions(move_group):
    """The planner over the actions and its move_group, as new."""
    planner, server = move_group
    server.brain.__init__(PROFILE)
    server.is_stuck = False
    server.scenes.clear()
    server.events.clear()
    server.started.clear()
    server.cancelled.clear()
    return planner, server


@pytest.fixture(params=['actions', 'moveit_py'])
def planner(request, monkeypatch):
    if request.param == 'actions':
        client, server = request.getfixturevalue('actions')
        return client, server.brain
    brain = MoveGroupBrain(PROFILE)
    modules = FakeMoveItPy(brain).modules()
    monkeypatch.setattr(moveit_py_planner, 'import_optional', lambda name, _: modules[name])
    return moveit_py_planner.MoveItPyPlanner(PROFILE, {}, lambda: brain.joints), brain


def peak_speed(trajectory):
    return max(abs(speed) for point in trajectory.points for speed in point.velocities)


def test_the_contract_of_every_planner(planner):
    planner, brain = planner
    start = brain.joints

    planner.execute(planner.plan_to_state('neutral'))

    (done,) = brain.executed
    assert done.points[-1].positions[1] == pytest.approx(-0.76239)
    assert list(done.points[-1].velocities) == [0.0] * 6
    assert peak_speed(done) <= 0.51 * 1.25  # half of the profile's speed
    # Already there: one point, and nothing to execute.
    again = planner.plan_to_state('neutral')
    planner.execute(again)
    assert len(again.points) == len(brain.executed) == 1
    # A planner in a hurry is slowed down to the profile.
    brain.haste = 6.0
    back = planner.plan_to_state('start')
    assert peak_speed(back) > 1.5
    planner.execute(back)
    assert peak_speed(brain.executed[-1]) <= 1.25 + 1e-9
    np.testing.assert_allclose(brain.joints, start, atol=1e-9)
    # A pose, and a straight line.
    brain.haste = 1.0
    planner.execute(planner.plan_to_pose(GOAL))
    brain.pose_goal_joints = start
    planner.execute(planner.plan_line([GOAL]))
    assert len(brain.executed) == 4
    # Whoever moves the arm between planning and executing makes the plan worthless.
    plan = planner.plan_to_state('neutral')
    brain.joints = brain.joints + 0.1
    with pytest.raises(ArmError, match='0.100 rad from where the arm is'):
        planner.execute(plan)
    brain.fails = True
    with pytest.raises(ArmError, match='no plan: .*log'):
        planner.plan_to_joints(start)
    with pytest.raises(ConfigurationError, match='no state .up.; there are'):
        planner.plan_to_state('up')
    with pytest.raises(ConfigurationError, match='outside the workspace box'):
        planner.plan_to_pose(standing_off(GOAL, 0.5))
    assert len(brain.executed) == 4


def test_requests_say_all_that_move_group_needs(actions):
    planner, server = actions

    planner.plan_to_pose(GOAL)

    (goal,) = server.brain.requests
    assert goal.planning_options.plan_only
    assert goal.planning_options.planning_scene_diff.robot_state.is_diff
    request = goal.request
    assert request.start_state.is_diff
    np.testing.assert_allclose(request.start_state.joint_state.position, server.brain.joints)
    assert 0 < request.max_velocity_scaling_factor <= 1
    assert 0 < request.max_acceleration_scaling_factor <= 1
    (constraint,) = request.goal_constraints
    (place,), (turn,) = constraint.position_constraints, constraint.orientation_constraints
    assert place.link_name == turn.link_name == PROFILE.tip_link
    assert place.header.frame_id == PROFILE.base_link
    assert place.constraint_region.primitive_poses[0].position.x == 0.3
    assert turn.orientation.y == pytest.approx(0.7071068)


def test_a_part_of_a_line_is_no_line(actions):
    planner, server = actions
    server.brain.fraction = 0.494

    with pytest.raises(ArmError, match='only 49 % of the straight line'):
        planner.plan_line([GOAL])


def test_an_execution_without_end_is_stopped(actions):
    planner, server = actions
    server.is_stuck = True

    with pytest.raises(ArmError, match='execute_trajectory did not answer'):
        planner.execute(planner.plan_to_joints(server.brain.joints + 0.05))

    wait_for(lambda: server.events == ['stop'])


def test_an_execution_that_is_no_longer_wanted_ends(actions):
    planner, server = actions
    server.is_stuck, said = True, []

    def execute():
        try:
            planner.execute(planner.plan_to_joints(server.brain.joints + 0.05))
        except ArmError as error:
            said.append(str(error))

    thread = threading.Thread(target=execute)
    thread.start()
    assert server.started.wait(ANSWER_S)
    while thread.is_alive():  # as the control loop does, in each tick
        planner.stop()
        thread.join(0.02)

    assert said == ['the motion was not completed: PREEMPTED']


def test_what_is_stopped_before_it_was_sent_is_not_sent(actions, monkeypatch):
    planner, server = actions
    plan = planner.plan_to_joints(server.brain.joints + 0.05)
    is_there = planner._execute.wait_for_server

    with monkeypatch.context() as patch:
        patch.setattr(planner._execute, 'wait_for_server', lambda s: planner.stop() or is_there(s))
        with pytest.raises(ArmError, match='stopped before it began'):
            planner.execute(plan)
    assert not server.brain.executed

    planner.execute(plan)
    assert len(server.brain.executed) == 1, 'the next one may'


def test_a_goal_that_is_accepted_after_it_was_given_up_is_cancelled(actions, monkeypatch):
    planner, server = actions
    server.is_stuck = True
    plan = planner.plan_to_joints(server.brain.joints + 0.05)
    monkeypatch.setattr(planner, '_answer_s', 0.0)
    monkeypatch.setattr(planner._execute, 'wait_for_server', lambda _: True)

    with pytest.raises(ArmError, match='execute_trajectory did not answer'):
        planner.execute(plan)

    assert server.cancelled.wait(ANSWER_S)
    wait_for(lambda: server.events == ['stop', 'stop'])


def test_a_move_group_that_is_there_plans(actions, nodes):
    finder = PlannerFinder(nodes[0], PROFILE, lambda: None, 'auto')
    wait_for(lambda: isinstance(finder.find(), MoveGroupClient))
    assert finder.find() is finder.find()
    mine = PlannerFinder(nodes[0], PROFILE, lambda: None, 'joint_space')
    assert isinstance(mine.find(), JointSpacePlanner)


def test_the_planning_scene_arrives(actions):
    planner, server = actions

    planner.apply_scene(load_planning_scene(PROFILE))

    (scene,) = server.scenes
    assert scene.is_diff
    boxes = {item.id: item for item in scene.world.collision_objects}
    assert set(boxes) == {'table', 'wall_front', 'wall_left', 'wall_right', 'camera_post'}
    table = boxes['table']
    assert table.header.frame_id == PROFILE.base_link
    assert table.operation == table.ADD
    assert list(table.primitives[0].dimensions) == pytest.approx([1.2, 1.2, 0.05])
    assert table.pose.position.z == pytest.approx(-0.085)
    assert table.primitive_poses[0].orientation.w == table.pose.orientation.w == 1.0


def test_tools_that_approach_along_z_are_turned():
    panda = load_arm_profile('panda')
    down = Pose(np.array([0.4, 0.0, 0.2]), GOAL.quaternion_xyzw)  # our x points down

    tip = tip_pose(down, panda)

    x, y, z, w = tip.quaternion_xyzw
    assert [2 * (x * z + w * y), 2 * (y * z - w * x)] == pytest.approx([0, 0], abs=1e-6)
    assert 1 - 2 * (x * x + y * y) == pytest.approx(-1)  # the hand's z axis, too


def test_a_vendors_limits_are_the_hardwares():
    assert scalings(PROFILE) == (0.5, 0.5)
    assert scalings(load_arm_profile('fr3'))[0] == pytest.approx(0.5 * 1.04 / 5.26)


def test_old_joint_states_are_no_start(nodes):
    now_s = [0.0]
    reader = JointReader(nodes[0], PROFILE, lambda: now_s[0])
    with pytest.raises(ArmError, match='no joint states on /wx250s/joint_states'):
        reader.read()
    publisher = nodes[1].create_publisher(JointState, PROFILE.joint_states_topic, 5)
    joints = [0.1 * n for n in range(6)]
    state = JointState(name=list(PROFILE.joint_names), position=joints)

    wait_for(lambda: publisher.publish(state) or is_readable(reader))

    np.testing.assert_allclose(reader.read(), joints)
    now_s[0] = 0.3
    with pytest.raises(ArmError, match='0.30 s old'):
        reader.read()


def is_readable(reader):
    try:
        return reader.read() is not None
    except ArmError:
        return False


def wait_for(done):
    pause = threading.Event()
    for _ in range(600):
        if done():
            return
        pause.wait(0.05)
    pytest.fail('nothing happened')
