"""Runs episodes through the running nodes as an operator would: reset, arm, start, say it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import TypedDict

from magma_ros.errors import EnvironmentMissing
from magma_ros.ros.operator_client import OperatorClient
from magma_ros.sim.scene import Variation
from magma_ros.sim.tasks import TIME_LIMIT_S, TaskKind

REST_S = 10.0  # time to come to rest, on a busy machine too
SETTLE_S = 0.4  # old pictures leave the queues, Servo forgets the last motion
ARMING_S = 30.0  # on a busy machine joint states come late now and then
LATCHED = ('stop', 'estop')


@dataclass(frozen=True)
class EpisodeRecord:
    """How one episode through the nodes went. The duration counts from the sentence."""

    task: str
    seed: int
    instruction: str
    success: bool
    duration_s: float
    latencies_s: tuple[float, ...]  # of each inference
    ages_s: tuple[float, ...]  # from each picture's stamp to the end of its inference
    reasons: tuple[str, ...]  # of every hold and stop
    clipped: tuple[str, ...]
    late_p50_ms: float
    late_p99_ms: float
    late_max_ms: float
    takeovers: int = 0  # how often a person took the arm
    was_stopped: bool = False  # in a mode that only the operator leaves


class _Seen(TypedDict):
    latencies_s: list[float]
    ages_s: list[float]
    reasons: list[str]
    clipped: set[str]
    modes: list[str]  # without repetitions


class NodeSession:
    """One operator for any number of episodes. Use with ``with``.

    Args:
        domain_id: of the nodes; None: the inherited one.
        check: called while waiting, such as ``NodeProcesses.check``.
    """

    def __init__(
        self, domain_id: int | None = None, check: Callable[[], None] = lambda: None
    ) -> None:
        self._client = OperatorClient(domain_id, check)
        self._client.on_state = self._note_state
        self._client.on_action = self._note_action
        self._seen = _nothing()

    def __enter__(self) -> NodeSession:
        """For ``with``."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes."""
        self.close()

    def close(self) -> None:
        """Leave the nodes alone."""
        self._client.close()

    def run_episode(
        self,
        task: TaskKind,
        seed: int,
        held_out: bool = False,
        variation: Variation | None = None,
        instruction: str | None = None,
        time_limit_s: float | None = None,
        laid_for: str = '',
    ) -> EpisodeRecord:
        """One episode of the scenario ``make_scenario(task, seed, held_out, variation)``.

        Args:
            task: its kind.
            seed: of everything random.
            held_out: a phrasing training never saw.
            variation: distractors and brightness are used, the rest is the default.
            instruction: said instead of the scenario's own sentence.
            time_limit_s: default TIME_LIMIT_S of the task.
            laid_for: a sentence that names what is on the table, instead of a random task.

        Raises:
            EnvironmentMissing: a node does not answer, or the arm cannot be armed.
        """
        variation = variation or Variation()
        sentence = self.lay_table(
            task=task,
            seed=seed,
            held_out=held_out,
            distractors=variation.distractors,
            brightness=float(variation.brightness),
            camera_place=variation.camera_place,
            instruction=laid_for,
        )
        limit_s = TIME_LIMIT_S[task] if time_limit_s is None else time_limit_s
        sentence = instruction or sentence
        success, duration_s = self._act(sentence, limit_s, self._is_done)
        return self._describe(task, seed, sentence, success, duration_s)

    def run_sentence(
        self, sentence: str, time_limit_s: float, is_over: Callable[[], bool]
    ) -> EpisodeRecord:
        """One episode on a table that somebody has laid, and judges; not successful here.

        Args:
            sentence: what is said.
            time_limit_s: of the episode.
            is_over: asked while the arm moves; true ends the episode.

        Raises:
            EnvironmentMissing: a node does not answer, or the arm cannot be armed.
        """
        _, duration_s = self._act(sentence, time_limit_s, is_over)
        return self._describe('', 0, sentence, False, duration_s)

    def reload_perception(self, values: Mapping[str, object]) -> None:
        """Another model for the next episode; see ``OperatorClient.reload_perception``."""
        self._client.reload_perception(values)

    def set_parameters(self, node_name: str, values: Mapping[str, object]) -> None:
        """Set parameters of a node; see ``OperatorClient.set_parameters``."""
        self._client.set_parameters(node_name, values)

    @property
    def mode(self) -> str:
        """Of the controller, newest; '' before the first."""
        return self._client.state.get('mode', '')

    @property
    def outcome(self) -> Mapping[str, str]:
        """What the simulation says, newest."""
        return self._client.outcome

    def rest(self) -> None:
        """Nothing to do, disarmed and at rest."""
        self._client.instruct('')
        request = 'clear' if self._client.state.get('mode') in LATCHED else 'disarm'
        self._client.ask(request)
        rested = self._client.wait_for(
            lambda: (
                self._client.state.get('mode') == 'disarmed'
                and self._client.state['at_rest'] == 'true'
            ),
            REST_S,
        )
        if not rested:
            raise EnvironmentMissing(
                f'the arm does not come to rest: {self._client.state}; look at the controller'
            )

    def lay_table(self, **scenario: object) -> str:
        """Rest, then reset the simulation; parameters of the sim node. The sentence to say."""
        self._client.wait_for(lambda: bool(self._client.state), REST_S)
        self.rest()
        self._client.set_parameters('sim_node', scenario)
        before = self._client.outcome.get('episode')
        sentence = self._client.reset_sim()
        self._client.wait_for(lambda: self._client.outcome.get('episode') != before, REST_S)
        self._client.spin(SETTLE_S)
        return sentence

    def start(self) -> None:
        """Arm and start; tries again while something still gets ready."""
        for request in ('arm', 'start'):
            deadline_s = time.monotonic() + ARMING_S
            while True:
                granted, text = self._client.ask(request)
                if granted:
                    break
                if time.monotonic() > deadline_s:
                    raise EnvironmentMissing(
                        f'{request} was refused: {text}. Perception says: '
                        f'{self._client.perception_text}'
                    )
                self._client.spin(0.2)

    def _act(
        self, sentence: str, limit_s: float, is_over: Callable[[], bool]
    ) -> tuple[bool, float]:
        """Arm, start, say it, and rest at the end.

        Returns:
            Whether the simulation, if there is one, said it was done; and how long it took.
        """
        self._seen = _nothing()
        self.start()
        client, started_s = self._client, time.monotonic()
        client.instruct(sentence)
        client.wait_for(lambda: is_over() or client.state['mode'] in LATCHED, limit_s)
        success, duration_s = self._is_done(), time.monotonic() - started_s
        self.rest()
        return success, duration_s

    def _is_done(self) -> bool:
        return self.outcome.get('success') == 'true'

    def _describe(
        self, task: str, seed: int, sentence: str, success: bool, duration_s: float
    ) -> EpisodeRecord:
        state, seen = self._client.state, self._seen
        return EpisodeRecord(
            task,
            seed,
            sentence,
            success,
            duration_s,
            tuple(seen['latencies_s']),
            tuple(seen['ages_s']),
            tuple(seen['reasons']),
            tuple(sorted(seen['clipped'])),
            float(state['late_p50_ms']),
            float(state['late_p99_ms']),
            float(state['late_max_ms']),
            seen['modes'].count('teleop'),
            any(mode in LATCHED for mode in seen['modes']),
        )

    def _note_state(self, values: dict[str, str]) -> None:
        self._seen['clipped'].update(values['clipped'].split())
        modes = self._seen['modes']
        if modes[-1:] != [values['mode']]:
            modes.append(values['mode'])
        reasons, reason = self._seen['reasons'], values['reason']
        if reason and (not reasons or reasons[-1] != reason):
            reasons.append(reason)

    def _note_action(self, values: dict[str, str]) -> None:
        ended_ns = int(values['inference_end_ns'])
        self._seen['latencies_s'].append((ended_ns - int(values['inference_start_ns'])) * 1e-9)
        self._seen['ages_s'].append((ended_ns - int(values['image_stamp_ns'])) * 1e-9)


def _nothing() -> _Seen:
    return {'latencies_s': [], 'ages_s': [], 'reasons': [], 'clipped': set(), 'modes': []}


def as_json(record: EpisodeRecord) -> dict:
    """A record as plain data."""
    return asdict(record)
