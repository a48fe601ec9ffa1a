from dataclasses import dataclass

import pytest

rclpy = pytest.importorskip('rclpy')

from rclpy.node import Node  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402

from magma_ros.errors import ConfigurationError  # noqa: E402
from magma_ros.ros.parameters import (  # noqa: E402
    declare_parameters,
    parameter,
    read_parameters,
)

pytestmark = pytest.mark.ros


@dataclass(frozen=True)
class Example:
    rate_hz: float = parameter(50.0, 'of the loop', 'Hz', 10.0, 100.0)
    count: int = parameter(3, 'of things', '', 0, 5, read_only=False)
    colour: str = parameter('red', 'of the cube', choices=('red', 'blue'), read_only=False)
    pose: tuple[float, ...] = parameter((0.0, 1.0), 'somewhere', 'm')


@pytest.fixture
def make_node(domain_id):
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain_id)
    nodes = []

    def make(**values):
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        nodes.append(
            Node(
                'example',
                context=context,
                parameter_overrides=overrides,
                automatically_declare_parameters_from_overrides=True,
            )
        )
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown(context=context)


def test_defaults_and_given_values(make_node):
    assert declare_parameters(make_node(), Example) == Example()
    given = declare_parameters(make_node(rate_hz=20.0, pose=[2.0, 3.0]), Example)
    assert given == Example(rate_hz=20.0, pose=(2.0, 3.0))


def test_parameters_are_described(make_node):
    node = make_node()
    declare_parameters(node, Example)

    rate = node.describe_parameter('rate_hz')
    assert rate.description == 'of the loop [Hz]'
    assert rate.read_only
    assert rate.floating_point_range[0].to_value == 100.0
    assert 'one of red, blue' in node.describe_parameter('colour').additional_constraints


@pytest.mark.parametrize(
    ('values', 'named'),
    [
        ({'rate': 20.0}, 'has no parameters rate; its parameters are colour, count, pose'),
        ({'rate_hz': 1000.0}, r'rate_hz \(of the loop \[Hz\]\)'),
        ({'rate_hz': 20}, 'rate_hz'),
        ({'colour': 'green'}, "'green' is not possible; choose one of red, blue"),
    ],
)
def test_wrong_values_are_named(make_node, values, named):
    with pytest.raises(ConfigurationError, match=named):
        declare_parameters(make_node(**values), Example)


def test_only_what_may_change_changes(make_node):
    node = make_node()
    declare_parameters(node, Example)

    results = node.set_parameters(
        [
            Parameter('count', value=5),
            Parameter('count', value=6),
            Parameter('rate_hz', value=11.0),
        ]
    )

    assert [result.successful for result in results] == [True, False, False]
    assert read_parameters(node, Example) == Example(count=5)
