"""The planner without MoveIt, against an action server that does as a test says."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy')

from control_msgs.action import FollowJointTrajectory  # noqa: E402
from rclpy.action import CancelResponse  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402

from magma_ros.data_types import Pose  # noqa: E402
from magma_ros.errors import ArmError, ConfigurationError, EnvironmentMissing  # noqa: E402
from magma_ros.robot.arm_profile import load_arm_profile  # noqa: E402
from magma_ros.robot.named_states import destination_joints  # noqa: E402
from magma_ros.robot.planning_scene import SceneBox, load_planning_scene  # noqa: E402
from magma_ros.ros.deferred_goals import DeferredGoals  # noqa: E402
from magma_ros.ros.goal_canceller import GoalCanceller  # noqa: E402
from magma_ros.ros.joint_space_planner import JointSpacePlanner  # noqa: E402
from magma_ros.ros.planner_finder import PlannerFinder  # noqa: E402
from magma_ros.ros.topic_kinds import Service  # noqa: E402

pytestmark = pytest.mark.ros
PROFILE = load_arm_profile('wx250s')
HOME = np.array(PROFILE.start_joints_rad)
ASIDE = HOME + [0.4, 0.0, 0.0, 0.0, 0.0, 0.0]
ANSWER_S = 60.0  # the machine may be busy


class Arm:
    """Jumps to the end of a trajectory, unless it is stuck on its way."""

    def __init__(self, node) -> None:
        self.joints, self.goals, self.is_stuck, self.takes_goals = ASIDE, [], False, True
        self.started, self.cancelled = threading.Event(), threading.Event()
        self.code = FollowJointTrajectory.Result.SUCCESSFUL
        action = Service(PROFILE.trajectory_action, FollowJointTrajectory, '', '', True)
        self.is_deaf, self.refused = False, 0  # to requests to cancel
        self._server = DeferredGoals(node, action, self._start, self._result, self.cancelled.set)
        self._server._server.register_cancel_callback(self._on_cancel)

    def _on_cancel(self, handle):
        self.refused += self.is_deaf
        return CancelResponse.REJECT if self.is_deaf else self._server._on_cancel(handle)

    def _start(self, goal) -> bool:
        self.goals.append(goal)
        if self.takes_goals and not self.is_stuck:
            self.joints = np.array(goal.trajectory.points[-1].positions)
        self.started.set()
        return self.takes_goals

    def _result(self):
        return None if self.is_stuck else FollowJointTrajectory.Result(error_code=self.code)


@pytest.fixture(scope='module')
def node():
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=20 + os.getpid() % 80)
    node = rclpy.create_node('joint_space', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    yield node
    executor.shutdown()
    thread.join(timeout=30)
    node.destroy_node()
    rclpy.shutdown(context=context)


@pytest.fixture
def quiet_node(node):
    """Nobody spins it, so that its clients may be destroyed."""
    quiet = rclpy.create_node('quiet', context=node.context)
    yield quiet
    quiet.destroy_node()


@pytest.fixture(scope='module')
def served(node):
    arm = Arm(node)
    planner = JointSpacePlanner(node, PROFILE, lambda: arm.joints, ANSWER_S)
    yield planner, arm
    planner.close()


@pytest.fixture
def rig(served):
    planner, arm = served
    arm.joints, arm.is_stuck, arm.takes_goals = ASIDE, False, True
    arm.is_deaf, arm.refused = False, 0
    arm.goals.clear()
    arm.started.clear()
    arm.cancelled.clear()
    return planner, arm


def test_a_plan_is_executed_as_it_was_checked(rig) -> None:
    planner, arm = rig

    planner.execute(planner.plan_to_state('start'))

    (goal,) = arm.goals
    assert arm.joints == pytest.approx(HOME, abs=1e-6)
    assert list(goal.trajectory.points[-1].velocities) == [0.0] * 6
    assert [one.name for one in goal.path_tolerance] == list(PROFILE.joint_names)
    speeds = [abs(v) for point in goal.trajectory.points for v in point.velocities]
    assert 0.3 < max(speeds) <= 0.626
    planner.execute(planner.plan_to_state('start'))
    assert len(arm.goals) == 1, 'it was there already'
    down = PROFILE.kinematics().forward(HOME)
    lower = Pose(down.translation_m - [0.0, 0.0, 0.05], down.quaternion_xyzw)
    planner.execute(planner.plan_to_pose(lower))
    reached = PROFILE.kinematics().forward(arm.joints)
    assert reached.translation_m == pytest.approx(lower.translation_m, abs=1e-3)


def test_what_leaves_the_envelope_is_not_planned(rig) -> None:
    planner, arm = rig
    aside = planner.plan_to_state('start')

    with pytest.raises(ArmError, match=r'breaks a rule of the envelope \(leaves the box'):
        planner.plan_to_joints(HOME + [1.4, 0.0, 0.0, 0.0, 0.0, 0.0])
    with pytest.raises(ArmError, match='no joint positions reach'):
        planner.plan_to_pose(Pose(np.array([2.0, 0.0, 0.1]), np.array([0, 0.7, 0, 0.7])))
    with pytest.raises(ArmError, match='left to MoveIt'):
        planner.plan_line([PROFILE.kinematics().forward(HOME)])
    arm.joints = HOME
    with pytest.raises(ArmError, match='0.400 rad from where the arm is'):
        planner.execute(aside)
    assert not arm.goals


@pytest.mark.parametrize('is_late', [False, True])
def test_stop_cancels_at_once_also_before_the_goal_was_taken(rig, is_late: bool) -> None:
    planner, arm = rig
    arm.is_stuck, failure = True, []

    def execute() -> None:
        try:
            planner.execute(planner.plan_to_state('start'))
        except ArmError as error:
            failure.append(str(error))

    thread = threading.Thread(target=execute)
    thread.start()
    assert arm.started.wait(ANSWER_S)
    while not arm.cancelled.wait(0.02):  # as the control loop does, in each tick
        planner.stop()
        if is_late:
            assert arm.cancelled.wait(ANSWER_S), 'one word is enough once it was sent'
    thread.join(ANSWER_S)

    assert failure
    assert 'was stopped on its way' in failure[0]


def test_all_goals_are_cancelled_whoever_sent_them(rig, node) -> None:
    planner, arm = rig
    arm.is_stuck, goals = True, GoalCanceller(node, PROFILE.trajectory_action)
    failure = []

    def execute() -> None:
        try:
            planner.execute(planner.plan_to_state('start'))
        except ArmError as error:
            failure.append(str(error))

    thread = threading.Thread(target=execute)
    thread.start()
    assert arm.started.wait(ANSWER_S)
    while not arm.cancelled.wait(0.02):
        goals.cancel_all()
    thread.join(ANSWER_S)

    assert 'was stopped on its way' in failure[0]
    goals.forget()
    pause = threading.Event()
    while not goals.has_agreed:  # that there is nothing to cancel
        goals.cancel_all()
        pause.wait(0.02)


def test_stop_is_repeated_until_the_result_is_there(rig) -> None:
    planner, arm = rig
    arm.is_stuck, arm.is_deaf = True, True
    thread = threading.Thread(target=lambda: pytest.raises(ArmError, planner.execute, plan))
    plan = planner.plan_to_state('start')
    thread.start()
    assert arm.started.wait(ANSWER_S)
    for _ in range(500):  # as the control loop does
        planner.stop()
        arm.is_deaf = arm.refused < 2
        if arm.cancelled.wait(0.02):
            break
    arm.is_stuck = False
    thread.join(ANSWER_S)

    assert arm.cancelled.is_set()


def test_an_arm_that_refuses_or_fails_is_named(rig) -> None:
    planner, arm = rig
    arm.takes_goals = False
    with pytest.raises(ArmError, match='refused the planned motion'):
        planner.execute(planner.plan_to_state('start'))


def test_without_a_controller_the_action_is_named(quiet_node) -> None:
    nobody = replace(PROFILE, trajectory_action='/nobody/follow_joint_trajectory')
    planner = JointSpacePlanner(quiet_node, nobody, lambda: ASIDE, 0.2)
    with pytest.raises(EnvironmentMissing, match='nobody serves /nobody/follow'):
        planner.execute(planner.plan_to_state('start'))
    planner.close()


def test_what_stands_in_the_workspace_is_left_to_moveit(rig) -> None:
    planner, _ = rig
    planner.apply_scene(load_planning_scene(PROFILE))
    with pytest.raises(ArmError, match='mug of the planning scene stands inside'):
        planner.apply_scene([SceneBox('mug', (0.3, 0.0, 0.05), (0.08, 0.08, 0.1))])


def test_who_plans_is_found_out_before_each_motion(quiet_node) -> None:
    auto = PlannerFinder(quiet_node, PROFILE, lambda: ASIDE, 'auto')
    assert isinstance(auto.find(), JointSpacePlanner)
    auto.close()
    picky = PlannerFinder(quiet_node, PROFILE, lambda: ASIDE, 'move_group')
    with pytest.raises(EnvironmentMissing, match='there is no move_group'):
        picky.find()
    picky.close()
    with pytest.raises(EnvironmentMissing, match='use move_group instead'):
        PlannerFinder(quiet_node, PROFILE, lambda: ASIDE, 'moveit_py')


@pytest.mark.parametrize('wanted', ['auto', 'move_group'])
def test_a_move_group_of_unknown_types_is_as_none(quiet_node, monkeypatch, wanted: str) -> None:
    monkeypatch.setitem(sys.modules, 'magma_ros.ros.move_group_client', None)
    monkeypatch.setattr(PlannerFinder, '_hears_move_group', lambda _: True)
    finder = PlannerFinder(quiet_node, PROFILE, lambda: ASIDE, wanted)

    if wanted == 'auto':
        assert isinstance(finder.find(), JointSpacePlanner)
    else:
        with pytest.raises(EnvironmentMissing, match='install moveit_msgs'):
            finder.find()
    finder.close()


@pytest.mark.parametrize('arm', ['wx250s', 'panda', 'fr3', 'wxai'])
def test_every_arm_has_its_destinations(arm: str) -> None:
    profile = load_arm_profile(arm)
    kinematics = profile.kinematics()
    low, home, high = (
        kinematics.forward(destination_joints(profile, name)).translation_m
        for name in ('approach', 'home', 'retreat')
    )
    for below, above in ((low, home), (home, high)):
        assert (above - below)[:2] == pytest.approx([0.0, 0.0], abs=1e-3)
        assert 0.03 < (above - below)[2] < 0.081
    for place in (low, home, high):
        assert (place > profile.limits.box_min_m).all()
        assert (place < profile.limits.box_max_m).all()
    with pytest.raises(ConfigurationError, match='there are home, approach, retreat'):
        destination_joints(profile, 'up')
