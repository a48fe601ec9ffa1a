from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from magma_ros.errors import ArmError
from magma_ros.evaluation.core_runs import ExpertPolicy
from magma_ros.rotations import euler_from_down, matrix_from_pose
from magma_ros.sim.rollout import run_episode
from magma_ros.sim.scenario import make_scenario
from magma_ros.sim.scene import Variation
from magma_ros.sim.tasks import CUBE_EDGE_M, CUBES, DISTRACTORS, RECEPTACLES


def test_reset_puts_things_where_the_scene_says(world) -> None:
    for seed in range(5):
        scene = make_scenario('put', seed, variation=Variation(distractors=2)).scene
        world.reset(scene)

        truth = world.truth()
        for name, (x, y, yaw) in scene.cubes.items():
            assert truth.positions_m[name] == pytest.approx([x, y, CUBE_EDGE_M / 2], abs=5e-4)
            assert truth.yaws_rad[name] == pytest.approx(yaw, abs=5e-3)
        for name, (x, y) in scene.places.items():
            assert truth.positions_m[name] == pytest.approx([x, y, 0.0], abs=1e-9)


def test_what_the_scene_leaves_out_is_far_away(world) -> None:
    scene = make_scenario('reach', 1).scene
    world.reset(scene)

    truth = world.truth()
    absent = set(CUBES + RECEPTACLES + DISTRACTORS) - set(scene.cubes) - set(scene.places)
    assert absent
    assert all(truth.positions_m[name][0] < -2.0 for name in absent)


def test_reset_starts_at_the_pose_of_the_scene_with_the_gripper_open(world) -> None:
    scene = make_scenario('pick', 2).scene
    world.reset(scene)

    state = world.arm_state(stamp_ns=7)
    pose = state.pose_gripper_in_base
    assert pose.translation_m == pytest.approx(scene.start_m, abs=1e-3)
    assert euler_from_down(pose) == pytest.approx(scene.start_rpy_rad, abs=5e-3)
    assert state.gripper_opening == pytest.approx(1.0, abs=0.02)
    assert np.abs(state.joint_velocities_rad_s).max() < 0.02
    assert state.stamp_ns == 7
    assert world.time_s == 0.0


def test_a_reset_forgets_what_was_before(world) -> None:
    scenario = make_scenario('pick', 2)
    world.reset(scenario.scene)
    fresh = world.truth()
    world.set_joint_targets(np.array([1.0, 0.5, 0.5, 0.5, 0.5, 0.5]))
    world.set_gripper_target(0.0)
    world.step(0.5)

    world.reset(scenario.scene)

    assert world.truth().tool_m.tolist() == fresh.tool_m.tolist()
    assert world.truth().positions_m['red cube'].tolist() == fresh.positions_m['red cube'].tolist()


def test_a_start_out_of_reach_is_an_error(world) -> None:
    scene = replace(make_scenario('pick', 2).scene, start_m=(0.9, 0.0, 0.2))

    with pytest.raises(ArmError, match='out of reach'):
        world.reset(scene)


def test_mujoco_and_kinematics_agree(world) -> None:
    random = np.random.default_rng(0)
    world.reset(make_scenario('reach', 0).scene)
    for _ in range(20):
        joints = random.uniform(world.kinematics.lower_rad, world.kinematics.upper_rad)
        matrix = matrix_from_pose(world.kinematics.forward(joints))
        assert simulated_tool(world, joints) == pytest.approx(matrix, abs=1e-6)


def simulated_tool(world, joints: np.ndarray) -> np.ndarray:
    """Pose of the tool link as MuJoCo computes it, (4, 4)."""
    data = mujoco.MjData(world.model)
    for name, angle in zip(world.kinematics.joint_names, joints, strict=True):
        data.joint(name).qpos = angle
    mujoco.mj_forward(world.model, data)
    matrix = np.eye(4)
    matrix[:3, :3] = data.body(world.profile.tip_link).xmat.reshape(3, 3)
    matrix[:3, 3] = data.body(world.profile.tip_link).xpos
    return matrix


def test_joints_follow_their_targets(world) -> None:
    world.reset(make_scenario('reach', 0).scene)
    goal = world.arm_state(0).joint_positions_rad + [0.2, -0.1, 0.1, 0.2, -0.2, 0.3]

    world.set_joint_targets(goal)
    world.step(1.0)

    assert world.arm_state(0).joint_positions_rad == pytest.approx(goal, abs=0.01)


def test_the_gripper_follows_its_target_and_measures_its_gap(world) -> None:
    world.reset(make_scenario('reach', 0).scene)
    profile = world.profile

    for opening in (0.0, 0.5, 1.0):
        world.set_gripper_target(opening)
        world.step(0.8)
        assert world.arm_state(0).gripper_opening == pytest.approx(opening, abs=0.03)
        finger = profile.finger_closed_m + opening * (
            profile.finger_open_m - profile.finger_closed_m
        )
        expected_gap = 2 * (finger - profile.pad_thickness_m)
        assert world.truth().finger_gap_m == pytest.approx(expected_gap, abs=2e-3)


def run_expert(world, camera, kind: str, seed: int):
    scenario = make_scenario(kind, seed)
    policy = ExpertPolicy(world, scenario.task)
    return run_episode(world, camera, policy, scenario.task, scenario.scene, time_limit_s=5.0)


def test_a_cube_is_held_by_friction_alone(world, camera) -> None:
    friction = world.model.geom_friction.copy()
    assert run_expert(world, camera, 'pick', 7).success
    gap = world.truth().finger_gap_m
    assert 0.030 < gap < 0.046  # at the cube, side or diagonal, not in it
    try:
        world.model.geom_friction[:] = 1e-4
        assert not run_expert(world, camera, 'pick', 7).success
    finally:
        world.model.geom_friction[:] = friction
