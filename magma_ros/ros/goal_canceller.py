"""Cancels all goals of an action, whoever sent them: also those of a client that is dead."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from action_msgs.srv import CancelGoal
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future

RESEND_S = 0.1
UNANSWERED = 5  # requests that are waited for at a time


class GoalCanceller:
    """Asks again and again, and never blocks; from any thread.

    Args:
        node: the client's, spun by another thread.
        action: its name.
        clock: seconds, monotonic.
    """

    def __init__(
        self, node: Node, action: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        service = f'{action}/_action/cancel_goal'
        self._client: Client = node.create_client(CancelGoal, service)
        self._clock = clock
        self._lock = threading.Lock()
        self._asked: deque[Future] = deque()
        self._asked_s = float('-inf')

    @property
    def is_there(self) -> bool:
        """Whether somebody serves the action."""
        return bool(self._client.service_is_ready())

    @property
    def has_agreed(self) -> bool:
        """Whether, since :meth:`forget`, the server has said that nothing goes on."""
        with self._lock:
            answers = [asked.result() for asked in self._asked if asked.done()]
        rejected = CancelGoal.Response.ERROR_REJECTED
        return any(answer is not None and answer.return_code != rejected for answer in answers)

    def forget(self) -> None:
        """What was agreed to so far does not count, and the next request goes out at once."""
        with self._lock:
            while self._asked:
                self._client.remove_pending_request(self._asked.popleft())
            self._asked_s = float('-inf')

    def cancel_all(self) -> None:
        """Call it in each tick: sends at most one request in RESEND_S."""
        with self._lock:
            now_s = self._clock()
            if now_s - self._asked_s < RESEND_S or not self.is_there:
                return
            if len(self._asked) == UNANSWERED:
                self._client.remove_pending_request(self._asked.popleft())
            # No id and no stamp mean all goals (CancelGoal.srv).
            self._asked.append(self._client.call_async(CancelGoal.Request()))
            self._asked_s = now_s
