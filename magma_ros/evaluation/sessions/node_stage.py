"""What trials through nodes need beside the nodes: condition, bag, motion, picture."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import numpy as np

from magma_ros.errors import ConfigurationError, MagmaError
from magma_ros.evaluation.node_session import EpisodeRecord, NodeSession
from magma_ros.evaluation.sessions.conditions import Baseline, Condition, Policy
from magma_ros.evaluation.sessions.sealing import Key
from magma_ros.evaluation.sessions.session_file import Session
from magma_ros.evaluation.sessions.session_folder import SEALED, SessionFolder
from magma_ros.evaluation.sessions.trial_files import save_motion, save_picture
from magma_ros.evaluation.sessions.trial_record import TrialRecord
from magma_ros.evaluation.sessions.trial_runner import Attempt
from magma_ros.motion.reason_codes import Reason
from magma_ros.nodes.model_worker_loading import SCRIPTED
from magma_ros.nodes.sealed_serving import write_sealed_serving
from magma_ros.nodes.trial_watch import TrialWatch
from magma_ros.ros.recorder_client import RecorderClient

BAGS = 'bags'
NO_EVENTS = (Reason.ARMING_CHECK.name,)  # while something still gets ready


class NodeStage:
    """Prepares nodes that run already for a trial, and gathers what it leaves. Use with ``with``.

    Every condition is prepared in the same way, people too: perception is loaded anew, for a
    person with a policy that stands still.

    Args:
        folder: of the session.
        session: its file.
        key: what the codes mean.
        domain_id: ROS domain; None keeps the inherited one.
        check: called while waiting, such as ``NodeProcesses.check``.
    """

    def __init__(
        self,
        folder: SessionFolder,
        session: Session,
        key: Key,
        domain_id: int | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder, self._session = folder.path.absolute(), session
        self._conditions = {
            code: session.conditions[one.name] for code, one in key.conditions.items()
        }
        with contextlib.ExitStack() as opened:
            self.nodes = opened.enter_context(NodeSession(domain_id, check))
            self.watch = opened.enter_context(TrialWatch(session.arm, domain_id))
            self._recorder: RecorderClient | None = None
            if session.record.bag:
                self._recorder = opened.enter_context(RecorderClient(domain_id))
            self._opened = opened.pop_all()

    def __enter__(self) -> NodeStage:
        """For ``with``."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leaves the nodes alone."""
        self.close()

    def close(self) -> None:
        """The same."""
        self._opened.close()

    def condition(self, code: str) -> Condition:
        """What a code stands for."""
        return self._conditions[code]

    def prepare(self, attempt: Attempt) -> None:
        """Load the condition, begin to record and to watch.

        Raises:
            MagmaError: perception cannot load it, or the recorder does not record here.
        """
        sealed = serving_path(self._folder, attempt.planned.code)
        self.nodes.reload_perception({'sealed_file': str(sealed)})
        if self._recorder is not None:
            self.nodes.set_parameters('recorder_node', {'name': attempt.stem})
            is_begun, text = self._recorder.ask('start')
            expected = self._folder / BAGS / attempt.stem
            if not is_begun or Path(text.split(';')[0]).resolve() != expected.resolve():
                raise ConfigurationError(
                    f'the recorder says {text!r}; it must record into {expected.parent}: start it '
                    f'with directory:={expected.parent}'
                )
        self.watch.begin()

    def finish(self, attempt: Attempt, episode: EpisodeRecord, success: bool) -> TrialRecord:
        """Stop recording and watching; the record, as far as it can be known here."""
        times_s, positions_m = self.watch.end()
        bag = motion = picture = ''
        if self._recorder is not None:
            self._recorder.ask('success' if success else 'failure')
            bag = f'{BAGS}/{attempt.stem}'
        if self._session.record.motion and len(times_s):
            motion = save_motion(self._folder, attempt.stem, times_s, positions_m)
        rgb = self.watch.picture() if self._session.record.picture else None
        if rgb is not None:
            picture = save_picture(self._folder, attempt.stem, rgb)
        is_policy = isinstance(self.condition(attempt.planned.code), (Policy, Baseline))
        expected = NO_EVENTS if is_policy else (*NO_EVENTS, Reason.TAKEOVER.name)
        interventions = episode.takeovers if is_policy else 0
        ended = 'success' if success else 'time'
        if episode.was_stopped:
            ended = 'stop'
        if interventions:  # the policy has not done it by itself
            success, ended = False, 'takeover'
        record = attempt.record(
            success=success,
            duration_s=episode.duration_s,
            ended=ended,
            bag=bag,
            motion=motion,
            thumbnail=picture,
            interventions=interventions,
            safety_events=tuple(one for one in episode.reasons if one not in expected),
        )
        if episode.latencies_s and is_policy:
            p50, p95 = 1000.0 * np.percentile(episode.latencies_s, (50, 95))
            record = replace(record, latency_p50_ms=float(p50), latency_p95_ms=float(p95))
        return record

    def drop(self) -> None:
        """Brake; stop recording and watching a trial that came to nothing.

        Whatever does not work here is not worth hiding why the trial ended.
        """
        with contextlib.suppress(MagmaError):
            self.nodes.rest()
        self.watch.end()
        if self._recorder is not None:
            with contextlib.suppress(MagmaError):
                self._recorder.ask('discard')


def serving_path(folder: Path, code: str) -> Path:
    """What perception is told about the condition of a code."""
    return folder / SEALED / f'{code}.json'


def write_serving(folder: SessionFolder, session: Session, key: Key) -> None:
    """A file for perception for each code."""
    for code, sealed in key.conditions.items():
        condition = session.conditions[sealed.name]
        path = serving_path(folder.path.absolute(), code)
        if isinstance(condition, Policy):
            serving = {name: value for name, value in sealed.table.items() if name != 'kind'}
        elif isinstance(condition, Baseline):
            serving = {'model': condition.address, 'mode': condition.mode}
        else:
            serving = {'model': SCRIPTED, 'mode': 'direct'}
        published = code if session.blinding else ''
        write_sealed_serving(path, published, sealed.model_sha256, serving)
