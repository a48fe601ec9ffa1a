"""One life of a model worker: its process, its channel, and what its end means."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from magma_ros.errors import ConfigurationError
from magma_ros.motion.reason_codes import Reason
from magma_ros.nodes.model_worker_channel import Channel, SharedPicture

PROGRAM = 'magma_ros.nodes.model_worker_program'
END_S = 2.0  # a worker that has nothing more to say gets to end
OF_OTHER_INTERPRETERS = ('PYTHONPATH', 'PYTHONHOME')  # set by ROS, for the node's own


@dataclass(frozen=True)
class Death:
    """Why a worker has ended."""

    reason: Reason
    text: str
    is_final: bool = False  # another try would end the same way


class WorkerProcess:
    """Starts with its making; :meth:`end` must be called."""

    def __init__(self, python: str, picture: SharedPicture) -> None:
        """Args: ``python``: interpreter, empty for our own. Raises ConfigurationError."""
        self.channel, theirs = Channel.pair()
        descriptors = (theirs.descriptor, picture.descriptor)
        self._popen = subprocess.Popen(
            [find_interpreter(python), '-m', PROGRAM, *map(str, descriptors)],
            pass_fds=descriptors,
            env=worker_environment(python, os.environ),
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the node, which ends its worker in order
        )
        theirs.close()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._popen.pid

    def kill(self) -> None:
        """At once; the channel then ends."""
        self._popen.kill()

    def end(self) -> int:
        """Close the channel, which ends a worker; its exit code, negative for a signal."""
        self.channel.close()
        try:
            return self._popen.wait(END_S)
        except subprocess.TimeoutExpired:  # it is loading, or deep in an answer
            self._popen.kill()
            return self._popen.wait()


def find_interpreter(python: str) -> str:
    """The interpreter of the parameter ``model_python``, our own when it is empty.

    Raises:
        ConfigurationError: there is no such program.
    """
    found = shutil.which(python) if python else sys.executable
    if found is None:
        raise ConfigurationError(
            f'model_python: {python!r} is no program; give the path of a python that has '
            'magma_ros installed, or leave it out'
        )
    return found


def worker_environment(python: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """The variables of a worker: another interpreter must not find the packages of ours."""
    kept = dict(inherited)
    if python:
        for name in OF_OTHER_INTERPRETERS:
            kept.pop(name, None)
    return kept


def explain_death(exit_code: int, last_words: Mapping[str, str]) -> Death:
    """What the end of a worker means.

    Args:
        exit_code: as :meth:`WorkerProcess.end` gives it.
        last_words: ``why`` and ``text`` of its last message; empty when it had no time for one,
            and ``why`` is ``silent`` when it never said a thing.
    """
    why, text = last_words.get('why'), last_words.get('text', '')
    if why == 'refused':
        return Death(Reason.MODEL_LOAD, text, is_final=True)
    if why == 'silent' and exit_code >= 0:
        return Death(
            Reason.MODEL_LOAD,
            f'the interpreter of the model ended with code {exit_code} before it began: its '
            'magma_ros must be installed and importable (model_python; see the log of the node)',
            is_final=True,
        )
    if why == 'out of memory':
        return Death(Reason.MODEL_OOM, f'{Reason.MODEL_OOM.text}: {text}')
    if text:
        return Death(Reason.MODEL_CRASH, f'{Reason.MODEL_CRASH.text}: {text}')
    if exit_code == -signal.SIGKILL:
        return Death(
            Reason.MODEL_OOM,
            'the model process was killed, most often because the memory of the machine ran out: '
            'use a smaller precision, or end other programs',
        )
    if exit_code < 0:
        how = f'signal {signal.Signals(-exit_code).name}'
    else:
        how = f'exit code {exit_code}'
    return Death(Reason.MODEL_CRASH, f'{Reason.MODEL_CRASH.text} ({how}); see the log of the node')
