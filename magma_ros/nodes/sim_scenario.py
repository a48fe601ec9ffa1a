"""Which scenario the sim node lays, by its parameters, and how it reports the outcome."""

from __future__ import annotations

from dataclasses import dataclass, replace

from diagnostic_msgs.msg import DiagnosticStatus

from magma_ros.ros.parameters import parameter
from magma_ros.ros.status_messages import status_message
from magma_ros.sim.instructions import understand
from magma_ros.sim.live_table import Outcome
from magma_ros.sim.scenario import Scenario, make_scenario
from magma_ros.sim.scene import CAMERA_PLACES_M, Variation
from magma_ros.sim.tasks import TASK_KINDS


@dataclass(frozen=True)
class ScenarioParameters:
    """Take effect at the next reset; the same values give the same table as through the core."""

    task: str = parameter('put', 'kind of task', choices=TASK_KINDS, read_only=False)
    instruction: str = parameter('', 'a sentence instead of a kind of task', read_only=False)
    seed: int = parameter(0, 'of everything random', '', 0, 2**31 - 1, read_only=False)
    held_out: bool = parameter(False, 'a phrasing training never saw', read_only=False)
    distractors: int = parameter(0, 'cans on the table', '', 0, 2, read_only=False)
    brightness: float = parameter(0.1, 'light varies by this share', '', 0.0, 0.9, read_only=False)
    camera_place: str = parameter(
        'front', 'where the camera stands', choices=tuple(CAMERA_PLACES_M), read_only=False
    )


def scenario_from(parameters: ScenarioParameters) -> Scenario:
    """The scenario of these parameters.

    Raises:
        InstructionError: the sentence asks for nothing that can be on the table.
    """
    sentence = parameters.instruction
    variation = Variation(
        brightness=parameters.brightness,
        distractors=parameters.distractors,
        camera_place=parameters.camera_place,
    )
    task = understand(sentence) if sentence else parameters.task
    scenario = make_scenario(task, parameters.seed, parameters.held_out, variation)  # type: ignore[arg-type]
    return replace(scenario, instruction=sentence) if sentence else scenario


def describe_outcome(outcome: Outcome) -> DiagnosticStatus:
    """``/magma/sim/outcome``: scenario, ground truth and success."""
    task, truth = outcome.scenario.task, outcome.truth
    values = {
        'episode': outcome.episode,
        'task': task.kind,
        'target': task.target,
        'destination': task.destination or '',
        'direction': task.direction or '',
        'seed': outcome.scenario.seed,
        'instruction': outcome.scenario.instruction,
        'success': str(outcome.success).lower(),
        'since_reset_s': outcome.done_s or 0.0,
        'tool_m': truth.tool_m.tolist(),
        'tool_rpy_rad': truth.tool_rpy_rad.tolist(),
        'finger_gap_m': truth.finger_gap_m,
        'target_m': truth.positions_m[task.target].tolist(),
        'destination_m': truth.positions_m[task.destination].tolist() if task.destination else [],
    }
    return status_message('sim outcome', 'success' if outcome.success else 'under way', values)
