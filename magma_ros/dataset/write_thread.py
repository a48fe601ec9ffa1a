"""A thread that writes what others hand over, so that no disk keeps a subscription waiting."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable

from magma_ros.dataset.episode_writer import EpisodeWriter
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic
from magma_ros.errors import RecordingError

WRITE_PERIOD_S = 0.02  # what waits longer than a few of these is lost by kill -9
SYNC_PERIOD_S = 0.5  # a power cut costs so much and what the synchronising takes
Work = RecordedTopic | Arrival


class WriteThread:
    """Owns a writer until :meth:`finish`.

    Args:
        writer: of the episode.
        capacity: bytes that may wait; messages beyond them are dropped and counted.
        convert: applied to each message in this thread: what is written for it, such as a
            compressed picture after its topic.
    """

    def __init__(
        self,
        writer: EpisodeWriter,
        capacity: int,
        convert: Callable[[Arrival], Iterable[Work]] = lambda arrival: (arrival,),
    ) -> None:
        self._writer, self._capacity = writer, capacity
        self._convert = convert
        self._waiting: deque[Work] = deque()
        self._waiting_bytes = 0
        self._lock = threading.Lock()  # of the two above, and of the drops
        self._ended = threading.Event()
        self.dropped: dict[str, int] = {}  # by topic: the disk was too slow, or has failed
        self.fault: RecordingError | None = None
        self._threads = [
            threading.Thread(target=self._write_all, name='write', daemon=True),
            threading.Thread(target=self._sync_all, name='sync', daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def put(self, work: Iterable[Work]) -> None:
        """Hand over topics and messages; a topic before its first message."""
        with self._lock:
            for item in work:
                size = len(item.data) if isinstance(item, Arrival) else 0
                if isinstance(item, Arrival) and self._waiting_bytes + size > self._capacity:
                    self.dropped[item.topic] = self.dropped.get(item.topic, 0) + 1
                    continue
                self._waiting.append(item)
                self._waiting_bytes += size

    def finish(self) -> None:
        """Write what waits, and end; the writer is not closed."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _write_all(self) -> None:
        try:
            while not self._ended.wait(WRITE_PERIOD_S):
                self._write_waiting()
            self._write_waiting()
        finally:  # an error of ours must not look like an episode that goes on
            if not self._ended.is_set():
                self._fail(RecordingError('the thread that writes has died; the log says of what'))

    def _write_waiting(self) -> None:
        while self.fault is None:
            with self._lock:
                if not self._waiting:
                    return
                item = self._waiting.popleft()
                if isinstance(item, Arrival):
                    self._waiting_bytes -= len(item.data)
            try:
                for part in self._convert(item) if isinstance(item, Arrival) else (item,):
                    if isinstance(part, Arrival):
                        self._writer.write(part)
                    else:
                        self._writer.add_topic(part)
            except RecordingError as error:
                self._fail(error)

    def _sync_all(self) -> None:
        while not self._ended.wait(SYNC_PERIOD_S):
            try:
                self._writer.sync()
            except RecordingError as error:
                self._fail(error)

    def _fail(self, error: RecordingError) -> None:
        with self._lock:
            self.fault = self.fault or error
            self._waiting.clear()
            self._capacity = -1  # whatever still comes is counted as dropped
