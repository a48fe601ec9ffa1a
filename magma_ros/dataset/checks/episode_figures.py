"""What the samples of an episode look like: pictures, actions, gripper, idling, sentences."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import FloatArray, MotionLimits
from magma_ros.dataset.actions.steps import Exclusion, Step
from magma_ros.dataset.checks.finding import Finding
from magma_ros.dataset.checks.motion_agreement import check_agreement
from magma_ros.dataset.checks.view_check import compare_views
from magma_ros.dataset.features.sampling import Gap, Sample
from magma_ros.image.image_checks import DARK_MEAN, FLAT_STD
from magma_ros.rotations import quaternion_difference

NO_OP = 'nothing happens (no-op)'
FROZEN_RUN = 3  # equal pictures one after the other, while the arm moves
FROZEN_M = 0.002
BEYOND = 0.1  # of the opening: outside of closed to open
CHATTER_PER_S = 2.0
IDLE_SHARE, MOST_IDLE_SHARE = 0.3, 0.6
IDLE_S = 3.0
LOOK_NS = 190_000_000  # pictures are looked at so often: five times a second


@dataclass
class EpisodeFigures:
    """Gathered while samples and steps go by; a few numbers for each sample."""

    limits: MotionLimits
    period_s: float
    samples: int = 0
    gaps: int = 0
    looked: int = 0  # at pictures
    _looked_ns: int = 0
    _looked_m: FloatArray = field(default_factory=lambda: np.zeros(3))
    dark: Counter[str] = field(default_factory=Counter)
    frozen: Counter[str] = field(default_factory=Counter)
    instructions: Counter[str] = field(default_factory=Counter)
    openings: list[float] = field(default_factory=list)
    commanded_openings: list[float] = field(default_factory=list)
    _commanded: list[FloatArray] = field(default_factory=list)
    _measured: list[FloatArray] = field(default_factory=list)
    first_picture: NDArray[np.uint8] | None = None  # of the policy's camera
    _last_picture: NDArray[np.uint8] | None = None
    _last: Sample | None = None
    _digests: dict[str, tuple[int, int]] = field(default_factory=dict)
    steps: int = 0
    long_steps: int = 0
    longest_m: float = 0.0
    idle: int = 0
    longest_idle: int = 0
    _idle_run: int = 0
    grips: int = 0
    _grip: float | None = None

    # ------------------------------------------------------------------------ what goes by

    def watch_samples(self, items: Iterable[Sample | Gap]) -> Iterator[Sample | Gap]:
        """The same samples."""
        for item in items:
            if isinstance(item, Gap):
                self.gaps, self._last = self.gaps + 1, None
            else:
                self._add_sample(item)
            yield item

    def watch_steps(self, items: Iterable[Step | Exclusion]) -> Iterator[Step | Exclusion]:
        """The same steps."""
        for item in items:
            if isinstance(item, Step):
                self._add_step(item)
            elif item.reason == NO_OP:
                self.idle, self._idle_run = self.idle + 1, self._idle_run + 1
                self.longest_idle = max(self.longest_idle, self._idle_run)
            yield item

    def _add_sample(self, sample: Sample) -> None:
        self.samples += 1
        self.instructions[sample.instruction] += 1
        self.openings.append(sample.arm.gripper_opening)
        if self._last is not None:
            moved = _motion(self._last, sample)
            commanded = sample.commanded
            if commanded.gripper_opening is not None:
                told = [*commanded.translation_m, *commanded.rotation_vector_rad]
                self._commanded.append(np.array(told))
                self._measured.append(moved)
                self.commanded_openings.append(commanded.gripper_opening)
        self._look(sample)
        self._last_picture = next(iter(sample.pictures.values())).rgb
        if self.first_picture is None:
            self.first_picture = self._last_picture
        self._last = sample

    def _look(self, sample: Sample) -> None:
        if sample.time_ns - self._looked_ns < LOOK_NS:
            return
        self._looked_ns, self.looked = sample.time_ns, self.looked + 1
        place_m = sample.arm.pose_gripper_in_base.translation_m
        moved_m = float(np.linalg.norm(place_m - self._looked_m))
        self._looked_m = place_m
        for camera, picture in sample.pictures.items():
            view = np.ascontiguousarray(picture.rgb[::8, ::8])
            if view.mean() < DARK_MEAN or view.std() < FLAT_STD:
                self.dark[camera] += 1
            digest = zlib.crc32(view.tobytes())
            last, run = self._digests.get(camera, (0, 0))
            run = run + 1 if digest == last and moved_m > FROZEN_M else 0
            self._digests[camera] = (digest, run)
            self.frozen[camera] += run >= FROZEN_RUN

    def _add_step(self, step: Step) -> None:
        self.steps += 1
        self._idle_run = 0
        shift_m, turn_rad = np.linalg.norm(step.action[:3]), np.linalg.norm(step.action[3:6])
        self.longest_m = max(self.longest_m, float(shift_m))
        self.long_steps += bool(shift_m > self.limits.step_m or turn_rad > self.limits.step_rad)
        closed = step.opening < 0.5
        self.grips += self._grip is not None and closed is not bool(self._grip)
        self._grip = closed

    # ------------------------------------------------------------------------ what it means

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the samples."""
        for camera in sorted({*self.dark, *self.frozen}):
            if self.dark[camera]:
                share = self.dark[camera] / self.looked
                text = f'{camera}: {self.dark[camera]} dark or flat pictures of {self.looked}'
                yield Finding('pictures', 'fault' if share > 0.1 else 'flag', text)
            if self.frozen[camera]:
                text = f'{camera}: {self.frozen[camera]} pictures stand still while the arm moves'
                yield Finding('pictures', 'fault', text)
        if self.long_steps:
            text = (
                f'{self.long_steps} of {self.steps} actions are longer than one step of the arm '
                f'may be ({self.limits.step_m} m, {self.limits.step_rad} rad); the longest has '
                f'{self.longest_m:.3f} m'
            )
            yield Finding('actions', 'flag', text)
        if self.first_picture is not None and self._last_picture is not None:
            yield from compare_views(self.first_picture, self._last_picture, 'the episode began')
        yield from self._gripper()
        yield from self._idling()
        yield from self._labels()
        if self._commanded:
            commanded, measured = np.array(self._commanded), np.array(self._measured)
            yield from check_agreement(commanded[:, :3], measured[:, :3])
            yield from check_agreement(commanded[:, 3:], measured[:, 3:], 'rotation')

    def _gripper(self) -> Iterator[Finding]:
        if not self.openings:
            return
        least, most = min(self.openings), max(self.openings)
        if least < -BEYOND or most > 1.0 + BEYOND:
            text = (
                f'the gripper goes from {least:.2f} to {most:.2f} of its travel; calibrate closed '
                'and open in the mapping'
            )
            yield Finding('gripper', 'fault', text)
        told = np.array(self.commanded_openings)
        did = np.array(self.openings)[len(self.openings) - len(told) :]
        if len(told) > 5 and told.std() > 0.1 and did.std() > 0.1:
            together = float(np.corrcoef(told, did)[0, 1])
            if together < -0.3:
                text = (
                    f'the gripper opens when told to close (correlation {together:.2f}): polarity'
                )
                yield Finding('gripper', 'fault', text)
        duration_s = self.samples * self.period_s
        if self.grips / max(duration_s, 1.0) > CHATTER_PER_S:
            text = f'the gripper changes its mind {self.grips} times in {duration_s:.0f} s'
            yield Finding('gripper', 'flag', text)

    def _idling(self) -> Iterator[Finding]:
        share = self.idle / max(self.idle + self.steps, 1)
        if share > IDLE_SHARE:
            text = f'{100 * share:.0f} % of the samples are idle'
            yield Finding('idle', 'fault' if share > MOST_IDLE_SHARE else 'flag', text)
        elif self.longest_idle * self.period_s > IDLE_S:
            text = f'nothing happens for {self.longest_idle * self.period_s:.1f} s'
            yield Finding('idle', 'note', text)

    def _labels(self) -> Iterator[Finding]:
        whole = self.samples + self.gaps
        if whole and self.gaps:
            severity, share = 'note', self.gaps / whole
            text = (
                f'{self.gaps} of {whole} instants give no sample (no picture, joints or sentence)'
            )
            yield Finding('labels', 'flag' if share > 0.1 else severity, text)  # type: ignore
        if len(self.instructions) > 1:
            text = f'{len(self.instructions)} instructions in one episode'
            yield Finding('labels', 'note', text)

    def to_json(self) -> dict[str, Any]:
        """For a report."""
        return {
            'samples': self.samples,
            'gaps': self.gaps,
            'steps': self.steps,
            'idle': self.idle,
            'longest_idle_s': round(self.longest_idle * self.period_s, 2),
            'longest_action_m': round(self.longest_m, 5),
            'long_actions': self.long_steps,
            'gripper_changes': self.grips,
            'dark': dict(self.dark),
            'frozen': {camera: count for camera, count in self.frozen.items() if count},
            'instructions': dict(self.instructions),
        }


def _motion(before: Sample, after: Sample) -> FloatArray:
    """(6,) from sample to sample, base axes."""
    start, goal = before.arm.pose_gripper_in_base, after.arm.pose_gripper_in_base
    turn = quaternion_difference(start.quaternion_xyzw, goal.quaternion_xyzw)
    return np.concatenate([goal.translation_m - start.translation_m, turn])
