"""What the parameters of other nodes are, asked now and then so that the answer is at hand."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from rcl_interfaces.srv import GetParameters, ListParameters
from rclpy.node import Node
from rclpy.parameter import parameter_value_to_python
from rclpy.task import Future


class ParameterSnapshots:
    """Newest parameters of nodes that are there; everything happens in callbacks of ``node``."""

    def __init__(self, node: Node, names: Iterable[str]) -> None:
        self.values: dict[str, dict[str, Any]] = {}
        self._list: dict[str, Any] = {
            name: node.create_client(ListParameters, f'/{name}/list_parameters') for name in names
        }
        self._get: dict[str, Any] = {
            name: node.create_client(GetParameters, f'/{name}/get_parameters') for name in names
        }

    def renew(self) -> None:
        """Ask everybody again; answers come later."""
        for name, client in self._list.items():
            if client.service_is_ready() and self._get[name].service_is_ready():
                future = client.call_async(ListParameters.Request())
                future.add_done_callback(partial(self._on_names, name))

    def _on_names(self, name: str, done: Future) -> None:
        answer = done.result()
        if answer is None:
            return
        names = list(answer.result.names)
        future = self._get[name].call_async(GetParameters.Request(names=names))
        future.add_done_callback(partial(self._on_values, name, names))

    def _on_values(self, name: str, names: list[str], got: Future) -> None:
        answer = got.result()
        if answer is not None:
            self.values[name] = {
                key: _plain(parameter_value_to_python(value))
                for key, value in zip(names, answer.values, strict=False)
            }


def _plain(value: Any) -> Any:
    """As JSON can say it: arrays become lists."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return [_plain(item) for item in value]
