from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from session_kit import write_table

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.sessions.conditions import Baseline, Policy, SimulatedOperator, Teleop
from magma_ros.evaluation.sessions.session_file import load_session
from magma_ros.evaluation.sessions.stopping import Comparison
from magma_ros.resources import config_path

Change = Callable[[dict], Any]


def change(*keys: str, to: Any) -> Change:
    def act(table: dict) -> None:
        for key in keys[:-1]:
            table = table[key]
        table[keys[-1]] = to

    return act


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    session = load_session(write_table(tmp_path / 'file.yaml'))

    assert session.blinding
    assert session.cells == [('reach', '10'), ('reach', '11'), ('reach', '12')]
    assert session.conditions == {
        'steady_hand': SimulatedOperator(0.25, 0.0, 1.0),
        'shaky_hand': SimulatedOperator(0.25, 0.01, 0.95),
        'nano_straight': Policy(mode='direct'),
    }
    assert session.record.motion
    assert session.comparison is None


@pytest.mark.parametrize(
    ('act', 'named'),
    [
        (change('sed', to=1), r"unknown or missing keys \['sed'\]. Did you mean seed"),
        (lambda t: t.pop('seed'), r"keys \['seed'\]"),
        (change('seed', to='x'), "seed is 'x'; it must be a whole number"),
        (change('seed', to=True), 'seed is True'),
        (change('through', to='air'), "'air'; choose one of core, nodes, hardware"),
        (change('arm', to='ur5'), 'wx250s'),
        (change('success', to='operator'), 'on hardware the operator'),
        (change('blinding', to='yes please'), 'must be true or false'),
        (change('title', to='two\nlines'), 'one line of text'),
        (change('title', to=7), 'one line of text'),
        (change('blocks', to=0), 'from 1 to 1000'),
        (change('tasks', to={}), 'must be a table of names'),
        (change('tasks', to={'../up': {'kind': 'reach'}}), r"'../up' is no name"),
        (change('tasks', to={'fly': {'kind': 'fly'}}), "'fly'; choose one of reach, pick"),
        (change('tasks', 'reach', to={'instruction': 'paint it'}), 'must name one cube'),
        (change('tasks', 'reach', to={}), 'give either kind'),
        (change('layouts', to={'first_seed': 1, 'count': 4}), 'impossible balance.* 3 or 6'),
        (change('layouts', to={'pictures': 'x'}), 'first_seed'),
        (change('layouts', 'count', to=0), 'from 1 to 1000'),
        (change('conditions', 'a b', to={'kind': 'policy'}), "'a b' is no name"),
        (change('conditions', 'shaky_hand', to={'kind': 'magic'}), "'magic'; through core it must be one of policy, baseline, simulated_operator"),  # noqa: E501
        (change('conditions', 'shaky_hand', to={'kind': 'teleop', 'operator': 'Ada', 'device': 'keyboard'}), 'through core'),  # noqa: E501
        (change('conditions', 'shaky_hand', to=3), 'kind is None'),
        (change('conditions', 'shaky_hand', to={'kind': 'policy', 'mode': 'fast'}), 'choose one of direct, path'),  # noqa: E501
        (change('conditions', 'shaky_hand', to={'kind': 'policy', 'model': 'nowhere'}), 'there is no folder'),  # noqa: E501
        (change('conditions', 'shaky_hand', to={'kind': 'policy', 'model': 'ws://gpu:1'}), 'kind: baseline'),  # noqa: E501
        (change('conditions', 'shaky_hand', to={'kind': 'baseline', 'address': 'gpu'}), 'no address'),  # noqa: E501
        (change('conditions', 'shaky_hand', 'skill', to=float('nan')), 'number from 0 to 1'),
        (change('conditions', to={'only': {'kind': 'policy'}}), 'at least 2'),
        (change('comparison', to={'first': 'shaky_hand', 'second': 'x'}), 'two of steady_hand'),
        (change('comparison', to={'first': 'a', 'second': 'b', 'stopping': 't'}), 'one of paired'),
        (change('record', to={'bag': True}), 'bags are recorded through'),
        (change('record', to={'video': True}), "'video'"),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_what_would_be_right(
    tmp_path: Path, act: Change, named: str
) -> None:
    with pytest.raises(ConfigurationError, match=named):
        load_session(write_table(tmp_path / 'file.yaml', act))


@pytest.mark.parametrize('text', ['{', '!!python/object/apply:os.abort []', '- 1', ''])
def test_what_is_no_table_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / 'file.yaml'
    path.write_text(text)

    with pytest.raises(ConfigurationError, match='file.yaml'):
        load_session(path)


@pytest.mark.parametrize(
    'act',
    [
        change('title', to='Is the Shaky_Hand worse?'),
        change('tasks', to={'steady_hand': {'kind': 'reach'}}),
    ],
)
def test_a_blinded_session_names_no_condition_where_the_operator_reads(
    tmp_path: Path, act: Change
) -> None:
    with pytest.raises(ConfigurationError, match='use another word there, or set blinding: false'):
        load_session(write_table(tmp_path / 'file.yaml', act))

    def openly(table: dict) -> None:
        act(table)
        table['blinding'] = False

    assert not load_session(write_table(tmp_path / 'file.yaml', openly)).blinding


def on_hardware(table: dict) -> None:
    table.update(
        through='hardware',
        success='operator',
        tasks={'stack': {'instruction': 'stack the cups', 'time_limit_s': 30}},
        layouts={'pictures': 'tables'},
        conditions={
            'ada': {'kind': 'teleop', 'operator': 'Ada', 'device': 'spacemouse'},
            'gpu': {'kind': 'baseline', 'address': 'ws://gpu:8000'},
        },
    )


def test_hardware_has_pictures_and_people(tmp_path: Path) -> None:
    folder = tmp_path / 'tables'
    folder.mkdir()
    for name in ('one.jpg', 'two.png'):
        cv2.imwrite(str(folder / name), np.zeros((4, 4, 3), np.uint8))
    (folder / 'notes.txt').write_text('no picture')

    session = load_session(write_table(tmp_path / 'file.yaml', on_hardware))

    assert session.layouts.ids == ['one', 'two']
    assert session.conditions == {
        'ada': Teleop('Ada', 'spacemouse'),
        'gpu': Baseline('ws://gpu:8000'),
    }
    assert session.tasks['stack'].time_limit_s == 30.0


def test_hardware_without_pictures_or_with_unknown_devices_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r'tables has no pictures \(.jpg'):
        load_session(write_table(tmp_path / 'file.yaml', on_hardware))

    def with_thoughts(table: dict) -> None:
        on_hardware(table)
        table['conditions']['ada']['device'] = 'thoughts'

    with pytest.raises(ConfigurationError, match="'thoughts'.* keyboard.* spacemouse"):
        load_session(write_table(tmp_path / 'file.yaml', with_thoughts))


def test_the_example_that_is_shipped_is_right(tmp_path: Path) -> None:
    file = tmp_path / 'mine.yaml'
    file.write_bytes(config_path('sessions/hardware_example.yaml').read_bytes())
    (tmp_path / 'layouts').mkdir()
    for name in ('near', 'far', 'left'):
        cv2.imwrite(str(tmp_path / 'layouts' / f'{name}.jpg'), np.zeros((4, 4, 3), np.uint8))

    session = load_session(file)

    assert len(session.cells) * session.blocks == 12
    assert session.comparison == Comparison('nano_path', 'remote_openvla', 'paired', 0.05)


def test_the_demo_that_is_shipped_is_right() -> None:
    session = load_session(config_path('sessions/demo_sim.yaml'))

    assert [type(one).__name__ for one in session.conditions.values()] == [
        'Policy',
        'Policy',
        'SimulatedOperator',
    ]
    assert len(session.tasks) == 2
