"""The real controller between a hostile policy and an arm of arithmetic; time is counted.

From the chunk to the twist it is what runs on a robot (``nodes/control_tick.py``: state machine,
watchdog, schedule, smoothing, envelope, verifier). The operator starts again whenever it may.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from magma_ros.benchmarks.exact_arm import ExactArm
from magma_ros.benchmarks.hostile_policy import HostilePolicy
from magma_ros.data_types import DeltaChunk, FloatArray, Twist
from magma_ros.motion.chunk_blending import BLENDINGS
from magma_ros.motion.chunk_check import ChunkRules
from magma_ros.motion.confirmation import Confirmation
from magma_ros.motion.modes import Mode, Request, TransitionRules
from magma_ros.motion.workspace import tilt
from magma_ros.nodes.control_tick import ControlTick, Inputs
from magma_ros.nodes.joint_guard import make_joint_guard
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.kinematics import Kinematics

ARMS = ('wx250s', 'wxai', 'fr3', 'panda')
PERIOD_S, PERIOD_NS = 0.02, 20_000_000
NEXT_REQUEST = {
    Mode.DISARMED: Request.ARM,
    Mode.READY: Request.START,
    Mode.HOLD: Request.START,
    Mode.STOP: Request.CLEAR,
    Mode.ESTOP: Request.CLEAR,
}
START_SPREAD_RAD = 0.4
START_ROOM_RAD = 0.05  # from the joint margins


class DrivenArm:
    """One arm from a random start; :meth:`tick` is one control period.

    Args:
        profile: of the arm.
        kinematics: of the same arm.
        random: dice of the start pose, the policy and the choice of its blending.
    """

    def __init__(
        self, profile: ArmProfile, kinematics: Kinematics, random: np.random.Generator
    ) -> None:
        self.arm = ExactArm(kinematics, _start_joints(profile, kinematics, random))
        self.policy = HostilePolicy(random, profile.limits, profile.base_link)
        blending = BLENDINGS[random.integers(len(BLENDINGS))]
        self.control = ControlTick(
            ChunkRules(profile.base_link, blending=blending),
            profile.limits,
            PERIOD_S,
            rules=TransitionRules(arming_hold_s=0.0),
            joints=make_joint_guard(profile, kinematics),
        )
        self._ticks = 0
        self._chunk: DeltaChunk | None = None

    def tick(self, **seen: Any) -> Twist:
        """Policy, controller, arm; the twist the arm got. ``seen``: other :class:`Inputs`."""
        self._ticks += 1
        now_s, now_ns = 100.0 + self._ticks * PERIOD_S, 10**11 + self._ticks * PERIOD_NS
        self._chunk = self.policy.act(now_ns) or self._chunk
        control = self.control
        button = Confirmation(control.nonce, now_s - 9.0, now_s)
        inputs = Inputs(self.arm.state(now_ns), 0.0, self._chunk, confirmation=button, **seen)
        request = NEXT_REQUEST.get(control.state.mode)
        if request is not None and control.is_at_rest and not seen:
            control.ask(request, inputs, now_s)
        command = control.tick(inputs, now_s, now_ns)
        twist = Twist.zero() if command is None else command.twist
        self.arm.move(twist, PERIOD_S)
        return twist


def _start_joints(
    profile: ArmProfile, kinematics: Kinematics, random: np.random.Generator
) -> FloatArray:
    """Joints (dof,) around the start pose from where the envelope lets the arm go."""
    limits, margin_rad = profile.limits, profile.joint_margin_rad + START_ROOM_RAD
    while True:
        spread = random.uniform(0.0, START_SPREAD_RAD)
        joints = random.normal(profile.start_joints_rad, spread)
        pose = kinematics.forward(joints)
        is_inside = (
            (pose.translation_m > limits.box_min_m).all()
            and (pose.translation_m < limits.box_max_m).all()
            and tilt(pose.quaternion_xyzw)[0] < limits.cone_rad
            and (joints > kinematics.lower_rad + margin_rad).all()
            and (joints < kinematics.upper_rad - margin_rad).all()
            and kinematics.condition(joints) < profile.singularity_slow
        )
        if is_inside:
            return joints
