"""What an evaluation is made of: conditions, trials, and the summary that is printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from magma_ros.evaluation.statistics.proportions import exact_interval
from magma_ros.pipeline import Mode
from magma_ros.sim.scenario import Scenario, make_scenario
from magma_ros.sim.scene import Variation
from magma_ros.sim.tasks import CUBES, TaskKind

Ablation = Literal['none', 'blank', 'swapped']
Through = Literal['core', 'nodes']
Actor = Literal['model', 'random', 'expert', 'expert-path']


@dataclass(frozen=True)
class Condition:
    """Everything that defines an evaluation; the seeds are ``seed`` .. ``seed + episodes - 1``."""

    task: TaskKind
    mode: Mode
    episodes: int
    seed: int = 100_000
    through: Through = 'core'
    actor: Actor = 'model'
    ablation: Ablation = 'none'
    distractors: int = 0
    brightness: float = 0.1
    camera_place: str = 'front'
    held_out: Literal['mixed', 'all', 'none'] = 'mixed'  # mixed: every second seed

    def is_held_out(self, index: int) -> bool:
        """Whether trial ``index`` uses a phrasing that training never saw."""
        return self.held_out == 'all' or (self.held_out == 'mixed' and index % 2 == 1)

    @property
    def variation(self) -> Variation:
        """How much its scenes differ."""
        return Variation(
            brightness=self.brightness,
            distractors=self.distractors,
            camera_place=self.camera_place,
        )

    def scenario(self, index: int) -> Scenario:
        """The scenario of trial ``index``, ablation applied to the sentence."""
        seed = self.seed + index
        held_out = self.is_held_out(index)
        scenario = make_scenario(self.task, seed, held_out, self.variation)
        if self.ablation != 'swapped':
            return scenario
        other = _another_cube(scenario)
        sentence = scenario.instruction.replace(scenario.task.target, other)
        return Scenario(scenario.task, scenario.scene, sentence, seed)


@dataclass(frozen=True)
class Trial:
    """How one episode went."""

    seed: int
    instruction: str
    success: bool
    duration_s: float
    latencies_s: tuple[float, ...]
    reasons: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()  # why, for each picture without a usable answer


def summarise(
    condition: Condition, trials: Sequence[Trial], model: dict[str, str]
) -> dict[str, Any]:
    """The record that ``magma evaluate --json`` prints."""
    successes = sum(trial.success for trial in trials)
    latencies_ms = 1000 * np.array([s for trial in trials for s in trial.latencies_s] or [0.0])
    durations = [trial.duration_s for trial in trials if trial.success]
    return {
        **asdict(condition),
        'n': len(trials),
        'successes': successes,
        'success': successes / max(1, len(trials)),
        'interval_95': exact_interval(successes, len(trials)),
        'latency_ms': {
            'p50': round(float(np.percentile(latencies_ms, 50)), 2),
            'p95': round(float(np.percentile(latencies_ms, 95)), 2),
        },
        'mean_duration_s': round(float(np.mean(durations)), 2) if durations else None,
        'model': model,
        'refusals': dict(Counter(why for trial in trials for why in trial.refusals)),
        'failed_seeds': [trial.seed for trial in trials if not trial.success],
    }


def _another_cube(scenario: Scenario) -> str:
    """A cube that is on the table and is not the target."""
    others = [
        name for name in CUBES if name in scenario.scene.cubes and name != scenario.task.target
    ]
    return others[0]
