"""Dataclasses as ROS parameters: declared, described, ranged; unknown names are errors."""

from __future__ import annotations

import types
from dataclasses import MISSING, field, fields
from typing import Any, TypeVar, get_origin, get_type_hints

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
)
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

from magma_ros.errors import ConfigurationError

Parameters = TypeVar('Parameters')
# Declared by rclpy itself.
OF_ROS = ('use_sim_time', 'start_type_description_service', 'qos_overrides.')


def parameter(
    default: Any,
    meaning: str,
    unit: str = '',
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    read_only: bool = True,
) -> Any:
    """A dataclass field that is a parameter; ``low`` and ``high`` include the ends."""
    about = {
        'meaning': f'{meaning} [{unit}]' if unit else meaning,
        'range': None if low is None or high is None else (low, high),
        'choices': choices,
        'read_only': read_only,
    }
    return field(default=default, metadata=about)


def declare_parameters(node: Node, kind: type[Parameters]) -> Parameters:
    """Declare the fields of a dataclass on a node, and read them.

    The node must have been made with ``automatically_declare_parameters_from_overrides=True``:
    that is how names in a file that no field has become known.

    Raises:
        ConfigurationError: a file has an unknown name, or a value of the wrong type or range.
    """
    described = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    given = [name for name in node.get_parameters_by_prefix('') if not name.startswith(OF_ROS)]
    unknown = sorted(set(given) - set(described))
    if unknown:
        raise ConfigurationError(
            f'{node.get_name()} has no parameters {", ".join(unknown)}; '
            f'its parameters are {", ".join(sorted(described))}'
        )
    for name in given:
        node.undeclare_parameter(name)
    for name, one in described.items():
        assert one.default is not MISSING
        default = list(one.default) if isinstance(one.default, tuple) else one.default
        try:
            node.declare_parameter(name, default, _descriptor(one.metadata, one.default))
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            raise ConfigurationError(
                f'{node.get_name()}, parameter {name} ({one.metadata["meaning"]}): {error}. '
                f'It is of the kind {default!r}'
            ) from error
    return read_parameters(node, kind)


def read_parameters(node: Node, kind: type[Parameters]) -> Parameters:
    """The values of now.

    Raises:
        ConfigurationError: a value is not one of its choices.
    """
    hints = get_type_hints(kind)
    values = {}
    for one in fields(kind):  # type: ignore[arg-type]
        value = node.get_parameter(one.name).value
        choices = one.metadata['choices']
        if choices and value not in choices:
            raise ConfigurationError(
                f'{node.get_name()}, parameter {one.name}: {value!r} is not possible; '
                f'choose one of {", ".join(choices)}'
            )
        is_tuple = get_origin(hints[one.name]) is tuple
        values[one.name] = tuple(value) if is_tuple else value
    return kind(**values)


def _descriptor(about: types.MappingProxyType, default: Any) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(
        description=about['meaning'],
        read_only=about['read_only'],
        additional_constraints=f'one of {", ".join(about["choices"])}' if about['choices'] else '',
    )
    if about['range'] is not None:
        low, high = about['range']
        if isinstance(default, int):
            descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
        else:
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=float(low), to_value=float(high))
            ]
    return descriptor
