"""What one run of the control loop remembers from tick to tick."""

from __future__ import annotations

from dataclasses import dataclass, field

from magma_ros.data_types import ArmState, Pose, Twist
from magma_ros.motion.blind_travel import BlindTravel
from magma_ros.motion.chunk_blending import DueStep
from magma_ros.motion.chunk_check import ChunkRules
from magma_ros.motion.chunk_schedule import ChunkSchedule
from magma_ros.motion.gripper_gate import GripperGate
from magma_ros.motion.joint_limits import JointGuard
from magma_ros.motion.norms import length
from magma_ros.motion.smoothing import REST_SPEED, Motion


@dataclass
class MotionMemory:
    """Belongs to ``pipeline.command``. Begin anew whenever the arm is armed."""

    schedule: ChunkSchedule
    due: DueStep  # the goal commanded last
    motion: Motion  # the smoothed motion towards it
    twist: Twist  # sent last
    gripper_opening: float  # sent last
    gate: GripperGate  # between what is due and what is sent
    joints: JointGuard | None = None  # None: joint limits are left to Servo
    change: Twist = field(default_factory=Twist.zero)  # of what is sent, per second
    blind: BlindTravel = BlindTravel()  # the way on the newest picture
    arm_twist: Twist = field(default_factory=Twist.zero)  # what the arm is expected to do
    is_held: bool = True  # stopped, and latched where the arm was measured
    violations: tuple[str, ...] = ()  # what the verifier found in the last tick

    @staticmethod
    def at_rest(
        arm: ArmState, rules: ChunkRules | None = None, joints: JointGuard | None = None
    ) -> MotionMemory:
        """Nothing to do, at rest where the arm is."""
        opening = min(max(arm.gripper_opening, 0.0), 1.0)
        due = DueStep(arm.pose_gripper_in_base, opening)
        motion = Motion.at_rest(arm.pose_gripper_in_base)
        schedule, gate = ChunkSchedule(rules or ChunkRules()), GripperGate(opening)
        return MotionMemory(schedule, due, motion, Twist.zero(), opening, gate, joints)

    @property
    def is_sent_at_rest(self) -> bool:
        """Whether the twist sent last is standing still."""
        return max(length(self.twist.linear_m_s), length(self.twist.angular_rad_s)) < REST_SPEED

    def hold_at(self, measured: Pose) -> None:
        """Latch: stay here until there is something new to do."""
        self.due = DueStep(measured, self.gripper_opening)
        self.motion = Motion.at_rest(measured)
        self.is_held = True

    def stand_still(self, measured: Pose) -> None:
        """The arm has stopped without us: go on from rest, where it is now."""
        self.schedule.flush()
        self.hold_at(measured)
        self.twist = self.change = self.arm_twist = Twist.zero()
