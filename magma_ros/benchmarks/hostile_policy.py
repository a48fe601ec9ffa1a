"""A policy that wants to break the arm: everything a model, a network or an attacker may send.

Its moods last some control periods each. Most of its chunks are formally right, since what is
refused at the door tries out nothing behind it; the rest is garbage of every kind.
"""

from __future__ import annotations

import enum

import numpy as np

from magma_ros.data_types import DeltaChunk, EndEffectorDelta, FloatArray, MotionLimits, Reference

GARBAGE_SHARE = 0.03  # of the chunks; more would hold the arm most of the time
MOST_DELTAS = 24
STEP_TIMES_S = (0.02, 0.05, 0.2)
REFERENCES: tuple[Reference, ...] = ('measured', 'commanded')
FAULTS = (
    'value',
    'shape',
    'range',
    'frame',
    'reference',
    'step time',
    'stamp',
    'sequence',
    'length',
)
BAD_NUMBERS = (float('nan'), float('inf'), -float('inf'), 1e308, -1e308)


class Mood(enum.Enum):
    """What the policy is after for a while."""

    WANDER = 'wander'  # small random steps, as a healthy model would
    JUMP = 'jump'  # random steps up to three times the allowed length
    PUSH = 'push'  # one way, on and on: walls, corners, joint limits, singular poses
    SHAKE = 'shake'  # to and fro, each step against the one before
    TWIRL = 'twirl'  # one rotation, on and on
    BURST = 'burst'  # a new chunk in every control period
    FALL_SILENT = 'fall silent'


MOODS = (*Mood, *(5 * (Mood.PUSH,)), Mood.TWIRL, Mood.TWIRL)  # those that reach limits more often
MOOD_TICKS = (5, 120)


class HostilePolicy:
    """Call :meth:`act` once per control period.

    Args:
        random: its dice.
        limits: of the arm, to know what is too much.
        frame_id: of the chunks.
    """

    def __init__(self, random: np.random.Generator, limits: MotionLimits, frame_id: str) -> None:
        self._random, self._limits, self._frame_id = random, limits, frame_id
        self._mood, self._mood_left = Mood.WANDER, 0
        self._way, self._turn = np.zeros(3), np.zeros(3)
        self._wait, self._sequence, self._stamp_ns = 0, 0, 0
        self.actions = 0  # deltas sent

    def act(self, now_ns: int) -> DeltaChunk | None:
        """The chunk that arrives in this period, if any."""
        if self._mood_left == 0:
            self._change_mood()
        self._mood_left -= 1
        self._wait -= 1
        if self._wait > 0 or self._mood is Mood.FALL_SILENT:
            return None
        random = self._random
        self._wait = 1 if self._mood is Mood.BURST else int(random.integers(1, 7))
        count = int(random.integers(1, MOST_DELTAS))
        late_ns = int(random.integers(0, 200_000_000))
        self._stamp_ns = max(self._stamp_ns + 1, now_ns - late_ns)
        self._sequence += 1
        chunk = DeltaChunk(
            tuple(map(_delta, self._steps(count))),
            STEP_TIMES_S[random.integers(len(STEP_TIMES_S))],
            self._stamp_ns,
            REFERENCES[random.integers(2)],
            self._frame_id,
            self._sequence,
        )
        if random.random() < GARBAGE_SHARE:
            chunk = self._spoil(chunk, now_ns)
        self.actions += len(chunk.deltas)
        return chunk

    def _change_mood(self) -> None:
        random = self._random
        self._mood = MOODS[random.integers(len(MOODS))]
        self._mood_left = int(random.integers(*MOOD_TICKS))
        self._way, self._turn = _direction(random), _direction(random)
        if random.random() < 0.5:  # straight at a face of the box, or about an axis of the base
            self._way = np.sign(self._way) * np.eye(3)[random.integers(3)]
            self._turn = np.sign(self._turn) * np.eye(3)[random.integers(3)]

    def _steps(self, count: int) -> FloatArray:
        """(count, 7): translation, rotation vector, gripper."""
        random, mood = self._random, self._mood
        size = np.array([self._limits.step_m] * 3 + [self._limits.step_rad] * 3)
        gripper = random.random((count, 1)) * 1.1 - 0.05
        steps = random.normal(0.0, 0.2, (count, 6))
        if mood in (Mood.JUMP, Mood.BURST):
            steps = random.uniform(-1.7, 1.7, (count, 6))
        elif mood in (Mood.PUSH, Mood.TWIRL, Mood.SHAKE):
            turn = random.uniform(0.0, 2.9) if mood is Mood.TWIRL else random.uniform(-0.3, 0.3)
            way = random.uniform(-0.3, 0.3) if mood is Mood.TWIRL else random.uniform(0.5, 2.9)
            steps = np.tile(np.concatenate([way * self._way, turn * self._turn]), (count, 1))
            if mood is Mood.SHAKE:
                steps[(self._sequence + np.arange(count)) % 2 == 0] *= -1.0
        return np.hstack([steps * size, gripper])

    def _spoil(self, chunk: DeltaChunk, now_ns: int) -> DeltaChunk:
        """The same chunk with one thing wrong."""
        random = self._random
        fault = FAULTS[random.integers(len(FAULTS))]
        deltas, first = chunk.deltas, chunk.deltas[0]
        step_s, stamp_ns, frame_id = chunk.step_s, chunk.image_stamp_ns, chunk.frame_id
        reference, sequence = chunk.reference, chunk.sequence
        if fault == 'value':
            bad = BAD_NUMBERS[random.integers(len(BAD_NUMBERS))]
            values = np.concatenate([first.translation_m, first.rotation_vector_rad, [0.5]])
            values[random.integers(7)] = bad
            deltas = (*deltas[1:], _delta(values))
        elif fault == 'shape':
            shape = ((0,), (2,), (4,), (3, 1))[random.integers(4)]
            deltas = (EndEffectorDelta(np.zeros(shape), np.zeros(3), 1.0), *deltas[1:])
        elif fault == 'range':
            far = 10.0 ** random.uniform(0.0, 300.0) * _direction(random)
            deltas = (*deltas[1:], EndEffectorDelta(far, np.zeros(3), 1.0))
        elif fault == 'frame':
            frame_id = ('', 'camera', 'world')[random.integers(3)]
        elif fault == 'reference':
            reference = 'elsewhere'  # type: ignore[assignment]
        elif fault == 'step time':
            step_s = (0.0, -0.2, float('nan'), float('inf'), 1e-9)[random.integers(5)]
        elif fault == 'stamp':
            stamp_ns = (0, -(10**18), now_ns + 10**10, now_ns - 10**10)[random.integers(4)]
        elif fault == 'sequence':
            sequence = int(random.integers(0, max(1, self._sequence)))
        else:
            deltas = deltas * int(random.integers(2)) * (65 // len(deltas) + 1)
        return DeltaChunk(deltas, step_s, stamp_ns, reference, frame_id, sequence)


def _delta(step: FloatArray) -> EndEffectorDelta:
    return EndEffectorDelta(step[:3], step[3:6], float(step[6]))


def _direction(random: np.random.Generator) -> FloatArray:
    vector = random.normal(size=3)
    return vector / np.sqrt(vector @ vector)
