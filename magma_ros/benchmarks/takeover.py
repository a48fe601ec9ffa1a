"""How a person takes the arm over from a policy at random moments: steps, and ticks until then.

The controller's own tick (``ControlTick``) with an arm that does what it is told, on an injected
clock: nothing here depends on the machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from magma_ros.benchmarks.record import Entry
from magma_ros.data_types import (
    ArmState,
    DeltaChunk,
    EndEffectorDelta,
    FloatArray,
    MotionCommand,
    MotionLimits,
    Pose,
    Twist,
)
from magma_ros.motion.chunk_check import ChunkRules
from magma_ros.motion.confirmation import Confirmation
from magma_ros.motion.deadman import DeadmanSwitch
from magma_ros.motion.modes import Mode, Request
from magma_ros.nodes.control_tick import ControlTick, Inputs
from magma_ros.rotations import DOWN, make_pose, turn_quaternion
from magma_ros.teleop.chunk_maker import ChunkMaker
from magma_ros.teleop.gesture import TeleopGesture

MOMENTS = 1000
PERIOD_S = 0.02
CHUNK_TICKS = 10  # of the policy: 5 Hz
MOST_TICKS = 60  # of one takeover; the arm rests long before
ROUNDING = 1e-3  # relative
FRAME = 'base'
LIMITS = MotionLimits()


@dataclass(frozen=True)
class Takeover:
    """One of them, from the press until the arm rests after the release."""

    ticks_to_mode: int  # 1: the first tick after the press already
    ticks_to_steer: int  # until a command follows the person
    position_step_m: float  # of the arm: largest change of its way from tick to tick
    velocity_share: float  # largest change of velocity, of what the limits allow in a tick
    modes_after: frozenset[Mode]  # while nobody asked for anything


def run_takeovers(count: int, seed: int) -> Iterator[Takeover]:
    """Policies that go anywhere, persons who press at any moment and steer anywhere else."""
    rig = TakeoverRig(np.random.default_rng(seed))
    for _ in range(count):
        yield rig.run_one()


@dataclass
class TakeoverRig:
    """A controller, a policy, a person and an arm."""

    random: np.random.Generator
    now_s: float = 100.0
    pose: Pose = field(default_factory=lambda: make_pose(np.array([0.3, 0.0, 0.15]), DOWN))
    control: ControlTick = field(
        default_factory=lambda: ControlTick(ChunkRules(FRAME), LIMITS, PERIOD_S)
    )
    maker: ChunkMaker = field(default_factory=lambda: ChunkMaker(FRAME, PERIOD_S))
    deadman: DeadmanSwitch = field(default_factory=DeadmanSwitch)
    chunk: DeltaChunk | None = None
    gesture: DeltaChunk | None = None
    commands: list[MotionCommand] = field(default_factory=list)
    ticks: int = 0

    def run_one(self) -> Takeover:
        """Start the policy, and at a random moment take over."""
        self.start()
        for _ in range(int(self.random.integers(3, 16))):
            self.tick()
        return self.take_over()

    def take_over(self) -> Takeover:
        """Press, steer, let go, come to rest."""
        self.commands = self.commands[-2:]
        before = len(self.commands)
        modes = []
        wish = Twist(self._direction() * 0.1, self._direction() * 0.4)
        for _ in range(int(self.random.integers(4, 9))):
            modes.append(self.tick(wish))
        ticks_to_steer = next(
            number
            for number, command in enumerate(self.commands[before:], start=1)
            if modes[number - 1] is Mode.TELEOP and command.observation_age_s is not None
        )
        modes_after = {self.tick()}
        while not self.control.is_at_rest and len(self.commands) < MOST_TICKS:
            modes_after.add(self.tick())
        return Takeover(
            modes.index(Mode.TELEOP) + 1,
            ticks_to_steer,
            self._position_step_m(),
            self._velocity_share(),
            frozenset(modes_after),
        )

    def start(self) -> None:
        """Arm if need be, and let the policy go."""
        if self.control.state.mode is Mode.DISARMED:
            self._ask(Request.ARM)
            while self.control.state.mode is Mode.ARMING:
                self.tick()
        self._ask(Request.START)
        self.commands.clear()

    def _ask(self, request: Request) -> None:
        granted = self.control.ask(request, self._inputs(), self.now_s)
        assert granted, f'{request} refused: {self.control.reasons}'

    def tick(self, wish: Twist | None = None) -> Mode:
        """One period; with a wish the switch is held."""
        heard_s = self.now_s - self.random.uniform(0.0, PERIOD_S)
        self.deadman = self.deadman.hear(wish is not None, heard_s)
        if wish is not None:
            arm, heard_ns = self._arm(), round(heard_s * 1e9)
            self.gesture = self.maker.make(TeleopGesture(True, wish), arm, None, heard_ns)
        if self.ticks % CHUNK_TICKS == 0:
            self.chunk = self._policy_chunk()
        self.ticks += 1
        command = self.control.tick(self._inputs(), self.now_s, round(self.now_s * 1e9))
        if command is not None:
            self.commands.append(command)
            self._follow(command.twist)
        self.now_s += PERIOD_S
        return self.control.state.mode

    def _inputs(self) -> Inputs:
        return Inputs(
            self._arm(),
            0.0,
            self.chunk,
            self.gesture,
            deadman_age_s=self.deadman.age_s(self.now_s),
            deadman_held_s=self.deadman.held_s(self.now_s),
            confirmation=Confirmation(self.control.nonce, self.now_s - 9.0, self.now_s),
        )

    def _arm(self) -> ArmState:
        return ArmState(np.zeros(6), np.zeros(6), self.pose, 1.0, round(self.now_s * 1e9))

    def _follow(self, twist: Twist) -> None:
        self.pose = Pose(
            self.pose.translation_m + PERIOD_S * twist.linear_m_s,
            turn_quaternion(self.pose.quaternion_xyzw, PERIOD_S * twist.angular_rad_s),
        )

    def _policy_chunk(self) -> DeltaChunk:
        """Towards a random place well inside of the box; the hand turns about anything a bit."""
        low, high = np.array(LIMITS.box_min_m) + 0.03, np.array(LIMITS.box_max_m) - 0.03
        way = self.random.uniform(low, high) - self.pose.translation_m
        step = way / np.linalg.norm(way) * self.random.uniform(0.01, LIMITS.step_m)
        turn = self._direction() * self.random.uniform(0.0, 0.1)
        delta = EndEffectorDelta(step, turn, float(self.random.integers(2)))
        stamp_ns = round(self.now_s * 1e9)
        return DeltaChunk((delta,), 0.2, stamp_ns, 'measured', FRAME, self.ticks + 1)

    def _direction(self) -> FloatArray:
        vector = self.random.normal(size=3)
        return vector / np.linalg.norm(vector)

    def _position_step_m(self) -> float:
        ways = [PERIOD_S * command.twist.linear_m_s for command in self.commands]
        return float(np.linalg.norm(np.diff(ways, axis=0), axis=1).max())

    def _velocity_share(self) -> float:
        velocities = np.array([command.twist.linear_m_s for command in self.commands])
        speeds = np.linalg.norm(velocities, axis=1)
        changes = np.linalg.norm(np.diff(velocities, axis=0), axis=1)
        is_faster = speeds[1:] > speeds[:-1]
        allowed = np.where(is_faster, LIMITS.acceleration_m_s2, LIMITS.brake_m_s2) * PERIOD_S
        return float((changes / allowed).max())


def measure() -> list[Entry]:
    """The worst of all moments."""
    seen = list(run_takeovers(MOMENTS, seed=0))
    returned = sum(one.modes_after != {Mode.READY} for one in seen)
    return [
        Entry('takeover-moments', len(seen), 'takeovers', MOMENTS, higher_is_better=True),
        Entry('takeover-mode', max(one.ticks_to_mode for one in seen), 'ticks', 2),
        Entry('takeover-steered', max(one.ticks_to_steer for one in seen), 'ticks', 2),
        Entry('takeover-position-step', 1000 * max(o.position_step_m for o in seen), 'mm', 1.0),
        Entry(
            'takeover-velocity-step',
            max(one.velocity_share for one in seen),
            'of the acceleration limit',
            1.0 + ROUNDING,
        ),
        Entry('takeover-not-ready-after-release', returned, 'takeovers', 0),
    ]
