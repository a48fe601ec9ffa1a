"""One question at a time, in one thread: models are neither quick nor made for two threads.

One question may run and one may wait; a third is refused at once. Nobody's question is thrown away
for a newer one, since the newer one may be somebody else's; and a client that gets "busy" has a
newer picture by the time it asks again.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from magma_ros.model.remote.refusal import Refusal

Result = TypeVar('Result')


class InferenceThread(Generic[Result]):
    """A daemon, so that a model that hangs does not keep the process alive."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[tuple[Callable[[], Result], Future[Result]] | None] = (
            queue.Queue(maxsize=1)
        )
        self._thread = threading.Thread(target=self._run, name='inference', daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], Result]) -> Future[Result]:
        """The future of ``work``, which can be cancelled while it waits; raises Refusal (busy)."""
        future: Future[Result] = Future()
        try:
            self._waiting.put_nowait((work, future))
        except queue.Full:
            raise Refusal('busy', 'one question runs and one waits: ask again later') from None
        return future

    def stop(self, patience_s: float) -> bool:
        """Finish what runs and waits; whether that worked in time."""
        try:
            self._waiting.put(None, timeout=patience_s)
        except queue.Full:
            return False
        self._thread.join(patience_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._waiting.get()) is not None:
            work, future = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = work()
            except BaseException as error:  # the future carries it to whoever asked
                future.set_exception(error)
            else:
                future.set_result(result)
