"""RLDS: records as TensorFlow writes them, and tensorflow-datasets reads them.

Its requirements clash with ours, so it may live in a virtual environment of its own whose
interpreter the variable MAGMA_TFDS_PYTHON names.
"""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given, settings
from hypothesis import strategies as st
from robot_bag import robot_arrivals, write_robot_bag

sys.path.insert(0, str(Path(__file__).parent / 'programs'))

from convert_bags import rules  # noqa: E402

from magma_ros.dataset.episode_record import read_record, write_record  # noqa: E402
from magma_ros.dataset.export import rlds_dataset  # noqa: E402
from magma_ros.dataset.export.conversion import convert  # noqa: E402
from magma_ros.dataset.export.tfrecord import (  # noqa: E402
    bytes_feature,
    encode_example,
    float_feature,
    int64_feature,
)
from magma_ros.dataset.export.tfrecord import write_record as write_tfrecord  # noqa: E402
from magma_ros.errors import ConfigurationError  # noqa: E402
from magma_ros.image.picture_file import read_picture  # noqa: E402

PROGRAM = Path(__file__).parent / 'programs' / 'load_rlds.py'
PYTHON = os.environ.get('MAGMA_TFDS_PYTHON') or (
    sys.executable if find_spec('tensorflow_datasets') is not None else ''
)
# What tf.io.TFRecordWriter of TensorFlow 2.21 made of the example in the test below.
OF_TENSORFLOW = (
    '3c00000000000000c8b7a3520a3a0a0d0a016212080a060a0261620a000a110a0166120c120a0a080000c03f'
    '000000c00a160a016912111a0f0a0d00ac02ffffffffffffffffff01ede80836'
)
FLOATS = st.lists(st.floats(width=32, allow_nan=False), min_size=1)
INTEGERS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1)


SHARD_BYTES = 15_000  # two of the three episodes


@pytest.fixture(scope='module')
def bags(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp('bags')
    return [
        write_robot_bag(root / f'bag{number}', robot_arrivals(0.8 + 0.3 * number))
        for number in range(3)
    ]


@pytest.fixture(scope='module')
def cubes(bags: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rlds_dataset, 'SHARD_BYTES', SHARD_BYTES)
        return convert(bags, tmp_path_factory.mktemp('sets') / 'cubes', rules('rlds')).folder


@pytest.fixture(scope='module')
def plain(bags: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same steps in a format that is easy to read."""
    return convert(bags, tmp_path_factory.mktemp('sets') / 'plain', rules('magma')).folder


def steps_of(plain: Path, episode: str) -> list[dict[str, Any]]:
    records = json.loads((plain / 'conversations.json').read_text())
    return [
        {**one['magma_ros'], 'image': plain / one['image']}
        for one in records
        if one['magma_ros']['episode'] == episode
    ]


def make_message_class() -> Any:
    """Example of TensorFlow, as Google's protobuf reads it."""
    file = descriptor_pb2.FileDescriptorProto(name='example.proto', package='t', syntax='proto3')
    kinds = descriptor_pb2.FieldDescriptorProto
    for list_name, kind in (
        ('BytesList', kinds.TYPE_BYTES),
        ('FloatList', kinds.TYPE_FLOAT),
        ('Int64List', kinds.TYPE_INT64),
    ):
        message = file.message_type.add(name=list_name)
        message.field.add(name='value', number=1, type=kind, label=kinds.LABEL_REPEATED)

    def add(message: Any, name: str, number: int, kind: str, label: int = 1) -> None:
        message.field.add(
            name=name, number=number, type=kinds.TYPE_MESSAGE, type_name=f'.t.{kind}', label=label
        )

    feature = file.message_type.add(name='Feature')
    add(feature, 'bytes_list', 1, 'BytesList')
    add(feature, 'float_list', 2, 'FloatList')
    add(feature, 'int64_list', 3, 'Int64List')
    features = file.message_type.add(name='Features')
    entry = features.nested_type.add(name='FeatureEntry')
    entry.options.map_entry = True
    entry.field.add(name='key', number=1, type=kinds.TYPE_STRING, label=1)
    add(entry, 'value', 2, 'Feature')
    add(features, 'feature', 1, 'Features.FeatureEntry', kinds.LABEL_REPEATED)
    add(file.message_type.add(name='Example'), 'features', 1, 'Features')
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName('t.Example'))


EXAMPLE = make_message_class()


def read_records(path: Path) -> Iterator[Any]:
    data = path.read_bytes()
    while data:
        (size,) = struct.unpack('<Q', data[:8])
        content, rest = data[12 : 12 + size], data[12 + size :]
        for checked, stored in ((data[:8], data[8:12]), (content, rest[:4])):
            crc = google_crc32c.value(checked)
            expected = ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32
            assert struct.unpack('<I', stored) == (expected,)
        yield EXAMPLE.FromString(content).features.feature
        data = rest[4:]


def test_a_record_is_the_one_tensorflow_writes(tmp_path: Path) -> None:
    (tmp_path / 'picture').write_bytes(b'ab')
    example = {
        'i': int64_feature([0, 300, -1]),
        'b': bytes_feature([tmp_path / 'picture', b'']),
        'f': float_feature([[1.5], [-2.0]]),
    }
    stream = io.BytesIO()

    size = write_tfrecord(stream, encode_example(example))

    assert stream.getvalue().hex() == OF_TENSORFLOW
    assert size == len(stream.getvalue()) - 16


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=1), FLOATS, INTEGERS, st.text(max_size=200))
def test_protobuf_reads_what_was_encoded(
    texts: list[bytes], floats: list[float], integers: list[int], name: str
) -> None:
    example = {
        f'b{name}': bytes_feature(texts),
        'f': float_feature(floats),
        'i': int64_feature(integers),
    }

    read = EXAMPLE.FromString(b''.join(encode_example(example))).features.feature  # type: ignore[arg-type]

    assert list(read[f'b{name}'].bytes_list.value) == texts
    assert list(read['f'].float_list.value) == floats
    assert list(read['i'].int64_list.value) == integers


def test_every_episode_is_a_record_with_all_of_its_steps(cubes: Path, plain: Path) -> None:
    folder = cubes / '1.0.0'
    information = json.loads((folder / 'dataset_info.json').read_text())
    shards = [folder / f'cubes-train.tfrecord-{number:05d}-of-00002' for number in range(2)]
    records = [[*read_records(shard)] for shard in shards]

    (split,) = information['splits']
    assert split['shardLengths'] == ['2', '1'] == [str(len(shard)) for shard in records]
    assert int(split['numBytes']) == sum(path.stat().st_size for path in shards) - 3 * 16
    for number, one in enumerate(record for shard in records for record in shard):
        (name,) = one['episode_metadata/file_path'].bytes_list.value
        expected = steps_of(plain, f'bag{number}')
        count = len(expected)
        assert name.decode() == f'bag{number}'
        for column, key in (('action', 'action'), ('observation/state', 'state')):
            values = np.array(one[f'steps/{column}'].float_list.value).reshape(count, 7)
            assert np.allclose(values, [step[key] for step in expected])
        pictures = one['steps/observation/image'].bytes_list.value
        assert list(pictures) == [step['image'].read_bytes() for step in expected]
        assert list(one['steps/is_first'].int64_list.value) == [1] + [0] * (count - 1)
        for flag in ('is_last', 'is_terminal'):
            assert list(one[f'steps/{flag}'].int64_list.value) == [0] * (count - 1) + [1]
        assert list(one['steps/reward'].float_list.value) == [0.0] * (count - 1) + [1.0]


def test_only_failures_have_no_reward_and_splits_have_their_own_files(tmp_path: Path) -> None:
    bags = [
        write_robot_bag(tmp_path / f'bag{number}', robot_arrivals(0.8 + 0.1 * number))
        for number in range(5)
    ]
    for bag, success in ((bags[0], False), (bags[1], None)):
        record = read_record(bag)
        assert record is not None
        write_record(bag, replace(record, success=success))
    wanted = replace(rules('rlds'), with_failures=True, validation_share=0.5)

    made = convert(bags, tmp_path / 'cubes', wanted)

    folder = made.folder / '1.0.0'
    rewards = {}
    for split, report in (('train', 'train'), ('val', 'validation')):
        episodes = [*read_records(folder / f'cubes-{split}.tfrecord-00000-of-00001')]
        assert len(episodes) == len(made.report[report]) > 0
        for one in episodes:
            name = one['episode_metadata/file_path'].bytes_list.value[0].decode()
            rewards[name] = sum(one['steps/reward'].float_list.value)
    assert rewards == {'bag0': 0.0, 'bag1': 1.0, 'bag2': 1.0, 'bag3': 1.0, 'bag4': 1.0}


def test_an_episode_too_long_for_a_record_is_an_error(
    bags: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rlds_dataset, 'EPISODE_BYTES', 1000)

    with pytest.raises(ConfigurationError, match='bag0 has .*--by pause'):
        convert(bags, tmp_path / 'cubes', rules('rlds'))
    assert not (tmp_path / 'cubes').exists()


def test_a_name_tensorflow_datasets_cannot_take_is_refused() -> None:
    with pytest.raises(ConfigurationError, match='--name'):
        replace(rules('rlds'), name='cubes-5hz')


@pytest.mark.skipif(
    not PYTHON, reason='tensorflow-datasets is not installed; set MAGMA_TFDS_PYTHON'
)
def test_tensorflow_datasets_reads_the_export(cubes: Path, plain: Path) -> None:
    done = subprocess.run(
        [PYTHON, str(PROGRAM), str(cubes)], capture_output=True, text=True, timeout=300
    )

    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen['counts'] == {'train': 3}
    assert seen['by_name'] == ['cubes', '1.0.0']
    assert {episode['path'] for episode in seen['episodes']} == {'bag0', 'bag1', 'bag2'}
    for episode in seen['episodes']:
        expected = steps_of(plain, episode['path'])
        last = len(expected) - 1
        for number, (step, one) in enumerate(zip(episode['steps'], expected, strict=True)):
            assert step['action'] == pytest.approx(one['action'], abs=1e-6)
            assert step['state'] == pytest.approx(one['state'], abs=1e-6)
            assert step['stamp_ns'] == one['stamp_ns']
            assert step['said'] == one['instruction']
            assert step['flags'] == [number == 0, number == last, number == last]
            assert (step['reward'], step['discount']) == (float(number == last), 1.0)
            assert len(step['joints']) == 6
            difference = np.subtract(step['picture'], read_picture(one['image']), dtype=int)
            assert np.abs(difference).max() <= 8  # another JPEG decoder
