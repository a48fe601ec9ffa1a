"""Where episodes are converted: here, in processes of this machine, or by Ray on many."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal

from magma_ros.dataset.export.episode_conversion import convert_episode
from magma_ros.errors import EnvironmentMissing, RecordingError

ExecutorName = Literal['local', 'ray']


@contextmanager
def open_executor(name: ExecutorName, workers: int) -> Iterator[Executor | None]:
    """Takes calls of :func:`convert_episode`; None: make them in this process.

    Args:
        name: ``ray``: as many calls at a time as the cluster has CPUs.
        workers: processes, where it is ``local``.

    Raises:
        EnvironmentMissing: Ray is not installed, or there is no cluster at RAY_ADDRESS.
        RecordingError: Ray lost a machine, or a process there.
    """
    if name == 'ray':
        with _open_ray() as tasks:
            yield tasks
        return
    if workers <= 1:
        yield None
        return
    context = multiprocessing.get_context('forkserver')  # everything is imported once
    context.set_forkserver_preload([convert_episode.__module__])
    with ProcessPoolExecutor(workers, context) as pool:
        try:
            yield pool
        except BaseException:  # Ctrl-C too: nothing that still waits is begun
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def _open_ray() -> Iterator[Executor]:
    """The cluster of RAY_ADDRESS, else that of this machine, else a new one on this machine."""
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')  # nothing is sent unasked
    try:
        import ray
    except ModuleNotFoundError as error:
        raise EnvironmentMissing('ray is not installed: pip install .[ray]') from error
    try:
        ray.init()
    except ConnectionError as error:
        raise EnvironmentMissing(
            f'{error}; look at RAY_ADDRESS, RAY_AUTH_MODE and what "ray status" says'
        ) from error
    try:
        yield _RayTasks(ray)
    except ray.exceptions.RayTaskError as error:  # our own error, with Ray's words around it
        raise error.cause from error
    except ray.exceptions.RayError as error:
        raise RecordingError(
            f'Ray lost an episode ({type(error).__name__}); the same command goes on where it was'
        ) from error
    finally:
        ray.shutdown()  # ends what is not finished


class _RayTasks(Executor):
    """Each call is a task with one CPU."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Start the task as soon as a CPU is free."""
        # Never twice: a machine that only seems to be lost may still be writing.
        return self._ray.remote(max_retries=0)(fn).remote(*args, **kwargs).future()
