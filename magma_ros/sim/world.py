"""The simulated table as an object: reset to a scene, follow joint targets, tell the truth."""

from __future__ import annotations

import mujoco
import numpy as np

from magma_ros.data_types import ArmState, FloatArray
from magma_ros.errors import ArmError
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.rotations import down_with_euler, euler_from_down, make_pose
from magma_ros.sim.model_building import PARKED_X_M, build_model
from magma_ros.sim.scene import Scene
from magma_ros.sim.tasks import CUBE_EDGE_M, CUBES, DISTRACTORS, RECEPTACLES, Truth

START_JOINTS_RAD = np.array([0.0, 0.022, 0.183, 0.0, 1.366, 0.0])  # gripper down at (0.3, 0, 0.15)
SETTLE_S = 0.04


class World:
    """One MuJoCo world.

    Joint targets are in the order of the arm profile; time is the simulation's own.
    """

    def __init__(self, profile: ArmProfile) -> None:
        self.profile = profile
        self.kinematics = profile.kinematics()
        self.model = build_model(profile.urdf_text(), self.kinematics, profile.tip_link)
        self.data = mujoco.MjData(self.model)
        joint = [self.model.joint(name) for name in self.kinematics.joint_names]
        self._q = np.array([j.qposadr[0] for j in joint])
        self._v = np.array([j.dofadr[0] for j in joint])
        self._arm_ctrl = np.array([self.model.actuator(n).id for n in self.kinematics.joint_names])
        self._gripper_ctrl = self.model.actuator('gripper').id
        self._finger_q = self.model.joint('left_finger').qposadr[0]
        self.scene: Scene | None = None

    @property
    def time_s(self) -> float:
        """Simulation time since the last reset."""
        return float(self.data.time)

    def reset(self, scene: Scene) -> None:
        """Lay the table as ``scene`` says and put the arm at its start pose, gripper open.

        Raises:
            ArmError: the start pose cannot be reached.
        """
        mujoco.mj_resetData(self.model, self.data)
        self.scene = scene
        start = make_pose(np.array(scene.start_m), down_with_euler(np.array(scene.start_rpy_rad)))
        joints = self.kinematics.inverse(start, START_JOINTS_RAD)
        if joints is None:
            raise ArmError(f'the start pose {scene.start_m} of the scene is out of reach')
        self.data.qpos[self._q] = joints
        self.data.ctrl[self._arm_ctrl] = joints
        for name in CUBES:
            x, y, yaw = scene.cubes.get(name, (PARKED_X_M, 0.1 * CUBES.index(name), 0.0))
            address = self.model.joint(name).qposadr[0]
            height = CUBE_EDGE_M / 2 if name in scene.cubes else CUBE_EDGE_M / 2 - 0.75
            turn = [np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)]  # MuJoCo's order, w first
            self.data.qpos[address : address + 7] = [x, y, height, *turn]
        for index, name in enumerate(RECEPTACLES + DISTRACTORS):
            x, y = scene.places.get(name, (PARKED_X_M, 0.3 + 0.2 * index))
            self.data.mocap_pos[self.model.body(name).mocapid[0]] = [x, y, 0]
        opening = self.profile.finger_open_m
        self.data.qpos[self._finger_q] = opening
        self.data.qpos[self.model.joint('right_finger').qposadr[0]] = -opening
        self.data.ctrl[self._gripper_ctrl] = opening
        mujoco.mj_forward(self.model, self.data)
        self.step(SETTLE_S)
        self.data.time = 0.0

    def step(self, duration_s: float) -> None:
        """Advance the physics with the targets as they are."""
        steps = round(duration_s / self.model.opt.timestep)
        mujoco.mj_step(self.model, self.data, nstep=steps)

    def set_joint_targets(self, joints_rad: FloatArray) -> None:
        """Position targets of the arm's servos, (dof,)."""
        self.data.ctrl[self._arm_ctrl] = joints_rad

    def set_gripper_target(self, opening: float) -> None:
        """Target of the gripper servo, 0 closed .. 1 open."""
        closed, opened = self.profile.finger_closed_m, self.profile.finger_open_m
        self.data.ctrl[self._gripper_ctrl] = closed + np.clip(opening, 0.0, 1.0) * (
            opened - closed
        )

    def arm_state(self, stamp_ns: int) -> ArmState:
        """What the arm's encoders say."""
        joints = self.data.qpos[self._q].copy()
        closed, opened = self.profile.finger_closed_m, self.profile.finger_open_m
        return ArmState(
            joints,
            self.data.qvel[self._v].copy(),
            self.kinematics.forward(joints),
            float(
                np.clip((self.data.qpos[self._finger_q] - closed) / (opened - closed), 0.0, 1.0)
            ),
            stamp_ns,
        )

    def truth(self) -> Truth:
        """Ground truth of this instant."""
        pose = self.kinematics.forward(self.data.qpos[self._q])
        positions, yaws = {}, {}
        for name in CUBES:
            body = self.data.body(name)
            positions[name] = body.xpos.copy()
            forward = body.xmat.reshape(3, 3)[:, 0]
            yaws[name] = float(np.arctan2(forward[1], forward[0]))
        for name in RECEPTACLES + DISTRACTORS:
            positions[name] = self.data.body(name).xpos.copy()
        gap = 2 * (float(self.data.qpos[self._finger_q]) - self.profile.pad_thickness_m)
        return Truth(pose.translation_m, euler_from_down(pose), gap, positions, yaws)
