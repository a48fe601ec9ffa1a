"""An action server whose goals take time but never hold up the executor.

rclpy would run the execute callback in the executor's thread until the motion is over. Here an
accepted goal is only noted; a timer asks whether it is done and then lets rclpy finish it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node

from magma_ros.ros.topic_kinds import Service

POLL_S = 0.05


class DeferredGoals:
    """One goal at a time; a new one replaces the old, which is aborted.

    Args:
        node: where the server lives.
        action: name and type.
        start: begins a goal; False refuses it.
        result: of the present goal: None while it is under way.
        cancel: stops what is under way.
    """

    def __init__(
        self,
        node: Node,
        action: Service,
        start: Callable[[Any], bool],
        result: Callable[[], Any | None],
        cancel: Callable[[], None],
    ) -> None:
        self._kind: Any = action.kind
        self._start, self._result, self._cancel = start, result, cancel
        self._present: ServerGoalHandle | None = None
        self._finish: dict[bytes, Callable[[ServerGoalHandle], Any]] = {}
        self._server = ActionServer(
            node,
            action.kind,
            action.name,
            self._execute,
            goal_callback=self._on_goal,
            handle_accepted_callback=self._on_accepted,
            cancel_callback=self._on_cancel,
        )
        node.create_timer(POLL_S, self._poll)

    def _on_goal(self, goal: Any) -> GoalResponse:
        return GoalResponse.ACCEPT if self._start(goal) else GoalResponse.REJECT

    def _on_accepted(self, handle: ServerGoalHandle) -> None:
        self._end(self._aborted)
        self._present = handle

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        if self._present is not None and handle.goal_id == self._present.goal_id:
            self._cancel()  # at once: it may be an emergency
        return CancelResponse.ACCEPT

    def _poll(self) -> None:
        if self._present is None:
            return
        if self._present.is_cancel_requested:
            self._end(self._canceled)
        elif (result := self._result()) is not None:
            self._end(lambda handle: _succeeded(handle, result))

    def _end(self, finish: Callable[[ServerGoalHandle], Any]) -> None:
        if self._present is not None:
            handle, self._present = self._present, None
            self._finish[bytes(handle.goal_id.uuid)] = finish
            handle.execute()

    def _execute(self, handle: ServerGoalHandle) -> Any:
        return self._finish.pop(bytes(handle.goal_id.uuid))(handle)

    def _aborted(self, handle: ServerGoalHandle) -> Any:
        handle.abort()
        return self._kind.Result()

    def _canceled(self, handle: ServerGoalHandle) -> Any:
        handle.canceled()
        return self._kind.Result()


def _succeeded(handle: ServerGoalHandle, result: Any) -> Any:
    handle.succeed()
    return result
