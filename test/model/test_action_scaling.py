from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.data_types import EndEffectorDelta
from magma_ros.errors import ConfigurationError
from magma_ros.model.action_scaling import (
    decode_delta,
    encode_delta,
    load_statistics,
    normalise,
    shipped_keys,
    unnormalise,
)
from magma_ros.model.action_tokens import ACTION_NAMES, decode_action, encode_action
from magma_ros.resources import asset_path

GOLDEN = json.loads((Path(__file__).parents[1] / 'golden' / 'decoded_action.json').read_text())
BASE = 128000


@pytest.mark.parametrize('key', ['bridge_orig', 'google_robot'])
def test_golden_action(key: str) -> None:
    values = decode_action(GOLDEN['ids'], BASE)
    assert values == pytest.approx(GOLDEN['normalised'], abs=1e-12)
    assert unnormalise(values, load_statistics(key)) == pytest.approx(GOLDEN[key], abs=1e-9)


@pytest.mark.parametrize('case', GOLDEN['limits'], ids=lambda case: case['ids'])
@pytest.mark.parametrize('key', ['bridge_orig', 'google_robot'])
def test_limits(case: dict, key: str) -> None:
    found = unnormalise(case['normalised'], load_statistics(key))
    assert found == pytest.approx(case[key], abs=1e-9)


@pytest.mark.parametrize(
    'case', GOLDEN['normalise_bridge_orig'], ids=lambda case: str(case['action'])
)
def test_normalise(case: dict) -> None:
    found = normalise(case['action'], load_statistics('bridge_orig'))
    assert found == pytest.approx(case['normalised'], abs=1e-9)
    assert encode_action(found, BASE).tolist() == case['ids']


def test_middle_id_of_nano_is_no_motion() -> None:
    delta = decode_delta(decode_action([896] * 7, 1024), load_statistics('magma_nano_sim'))
    assert delta.translation_m == pytest.approx(np.zeros(3))
    assert delta.rotation_vector_rad == pytest.approx(np.zeros(3))
    assert delta.gripper_opening == 0.0


def test_euler_is_not_copied_as_rotation_vector() -> None:
    statistics = load_statistics('magma_nano_sim')
    delta = decode_delta([0, 0, 0, 1.0, 1.0, 1.0, 1.0], statistics)
    assert np.linalg.norm(delta.rotation_vector_rad - 0.25) > 0.01
    assert encode_delta(delta, statistics) == pytest.approx([0, 0, 0, 1, 1, 1, 1], abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(-0.05, 0.05), min_size=3, max_size=3),
    st.lists(st.floats(-0.13, 0.13), min_size=3, max_size=3),
    st.floats(0.0, 1.0),
)
def test_delta_round_trip(metres: list[float], radians: list[float], opening: float) -> None:
    statistics = load_statistics('magma_nano_sim')
    delta = EndEffectorDelta(np.array(metres), np.array(radians), opening)
    again = decode_delta(encode_delta(delta, statistics), statistics)
    assert again.translation_m == pytest.approx(delta.translation_m, abs=1e-7)
    assert again.rotation_vector_rad == pytest.approx(delta.rotation_vector_rad, abs=1e-6)
    assert again.gripper_opening == pytest.approx(opening)


def test_gripper_stays_in_range() -> None:
    delta = decode_delta([-0.996] * 7, load_statistics('bridge_orig'))
    assert delta.gripper_opening == 0.0


@pytest.mark.parametrize('key', ['franka', None, '../secrets'])
def test_unknown_key_lists_the_valid_ones(key: str | None) -> None:
    with pytest.raises(ConfigurationError, match='bridge_orig.*google_robot.*magma_nano_sim'):
        load_statistics(key)


def test_shipped_keys() -> None:
    assert shipped_keys() == ['bridge_orig', 'google_robot', 'magma_nano_sim']


def write(path: Path, entries: object) -> Path:
    path.write_text(json.dumps(entries))
    return path


def test_file_with_one_dataset_needs_no_key(tmp_path: Path) -> None:
    action = {'q01': [-1.0] * 7, 'q99': [1.0] * 6 + [-1.0]}
    path = write(tmp_path / 's.json', {'mine': {'action': action}})
    statistics = load_statistics(None, path)
    assert statistics.key == 'mine'
    assert statistics.mask.all()
    assert normalise(np.full(7, 0.5), statistics)[6] == 0.0


@pytest.mark.parametrize('key', [None, 'c'])
def test_file_with_two_datasets_needs_a_key(tmp_path: Path, key: str | None) -> None:
    path = write(tmp_path / 's.json', {'a': {}, 'b': {}})
    with pytest.raises(ConfigurationError, match=r"\['a', 'b'\]"):
        load_statistics(key, path)


def test_unusable_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match='does not exist'):
        load_statistics('a', tmp_path / 'none.json')
    (tmp_path / 's.json').write_text('{')
    with pytest.raises(ConfigurationError, match='not JSON'):
        load_statistics('a', tmp_path / 's.json')


SEVEN = [0.5] * 7


@pytest.mark.parametrize(
    'action',
    [
        {},
        [],
        None,
        'seven',
        {'q01': [1, 2]},
        {'q01': SEVEN, 'q99': SEVEN[:6]},
        {'q01': SEVEN, 'q99': ['1'] * 7},
        {'q01': SEVEN, 'q99': [float('nan')] * 7},
        {'q01': SEVEN, 'q99': [float('inf')] * 7},
        {'q01': SEVEN, 'q99': [10**400] * 7},
        {'q01': SEVEN, 'q99': [True] * 7},
        {'q01': SEVEN, 'q99': [0.4] * 7},
        {'q01': SEVEN, 'q99': SEVEN, 'mask': [True] * 6},
        {'q01': SEVEN, 'q99': SEVEN, 'mask': [1] * 7},
    ],
    ids=str,
)
def test_unusable_statistics(tmp_path: Path, action: object) -> None:
    path = write(tmp_path / 's.json', {'a': {'action': action}})
    with pytest.raises(ConfigurationError, match="statistics 'a' of .*s.json need seven numbers"):
        load_statistics('a', path)


@pytest.mark.parametrize('content', ['[]', '{}', '3', '"a"', 'null'])
def test_files_without_datasets(tmp_path: Path, content: str) -> None:
    (tmp_path / 's.json').write_text(content)
    with pytest.raises(ConfigurationError, match='must hold'):
        load_statistics('a', tmp_path / 's.json')


@pytest.mark.parametrize('content', [b'\xff\xfe{}', b'[' * 100_000], ids=['not utf-8', 'deep'])
def test_files_that_are_no_json(tmp_path: Path, content: bytes) -> None:
    (tmp_path / 's.json').write_bytes(content)
    with pytest.raises(ConfigurationError, match='not JSON'):
        load_statistics('a', tmp_path / 's.json')


@pytest.mark.parametrize('key', ['bridge_orig', 'google_robot', 'magma_nano_sim'])
def test_shipped_statistics_name_their_source(key: str) -> None:
    entries = json.loads(asset_path(f'action_statistics/{key}.json').read_text())
    assert entries['source']
    assert entries['order'] == list(ACTION_NAMES)


def test_a_published_file_reads_like_the_shipped_one(tmp_path: Path) -> None:
    shipped = json.loads(asset_path('action_statistics/bridge_orig.json').read_text())
    path = write(tmp_path / 's.json', {'bridge_orig': {**shipped, 'num_transitions': 3}})
    found, expected = load_statistics('bridge_orig', path), load_statistics('bridge_orig')
    assert np.array_equal(found.q01, expected.q01)
    assert np.array_equal(found.q99, expected.q99)
    assert found.mask.tolist() == [True] * 6 + [False]
