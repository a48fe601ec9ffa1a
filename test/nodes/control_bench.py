"""An arm that follows its twists exactly, and time that passes only when asked."""

from dataclasses import replace

import numpy as np

from magma_ros.data_types import ArmState, DeltaChunk, EndEffectorDelta, MotionLimits, Pose
from magma_ros.motion.chunk_check import ChunkRules
from magma_ros.motion.confirmation import Confirmation
from magma_ros.motion.modes import Request
from magma_ros.nodes.control_tick import ControlTick, Inputs

FRAME = 'wx250s/base_link'
PERIOD_S = 0.02
DOWN = np.array([0.0, np.sqrt(0.5), 0.0, np.sqrt(0.5)])


class Bench:
    """A controller's tick and what it sees."""

    def __init__(self):
        self.control = ControlTick(ChunkRules(FRAME), MotionLimits(), PERIOD_S)
        self.now_s, self.position = 100.0, np.array([0.3, 0.0, 0.15])
        self.chunk, self.sequence, self.commands = None, 0, []
        self.inputs = Inputs(None, 0.0, None)

    def arm(self):
        pose = Pose(self.position.copy(), DOWN)
        return ArmState(np.zeros(6), np.zeros(6), pose, 1.0, round(self.now_s * 1e9))

    def see(self, **changes):
        button = Confirmation(self.control.nonce, self.now_s - 9.0, self.now_s)
        seen = {'arm': self.arm(), 'chunk': self.chunk, 'confirmation': button}
        self.inputs = replace(self.inputs, **{**seen, **changes})
        return self.inputs

    def ask(self, request):
        return self.control.ask(request, self.see(), self.now_s)

    def arm_and_start(self):
        assert self.ask(Request.ARM)
        self.run(52)
        assert self.ask(Request.START)
        self.commands.clear()

    def run(self, ticks, **changes):
        for _ in range(ticks):
            result = self.control.tick(self.see(**changes), self.now_s, round(self.now_s * 1e9))
            if result is not None:
                self.position = self.position + PERIOD_S * result.twist.linear_m_s
            self.commands.append(result)
            self.now_s += PERIOD_S

    def make_chunk(self, step_m, source='policy', reference='measured'):
        self.sequence += 1
        delta = EndEffectorDelta(np.array(step_m), np.zeros(3), 1.0)
        stamp_ns = round(self.now_s * 1e9)
        return DeltaChunk((delta,), 0.2, stamp_ns, reference, FRAME, self.sequence, source)

    def send(self, dz=-0.03):
        self.chunk = self.make_chunk([0.0, 0.0, dz])

    def speed(self):
        return float(np.abs(self.commands[-1].twist.linear_m_s).max())
