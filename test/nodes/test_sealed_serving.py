"""What perception publishes about itself in a blinded session."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy')

from magma_ros.errors import ConfigurationError  # noqa: E402
from magma_ros.model.action_model import ModelIdentity  # noqa: E402
from magma_ros.nodes.perception_setup import PerceptionParameters  # noqa: E402
from magma_ros.nodes.sealed_serving import Serving, settle_serving, write_sealed_serving  # noqa: E402
from magma_ros.ros.status_messages import ERROR, OK, WARN, status_message, status_values  # noqa: E402

SECRET = ModelIdentity('secret-model', 'ab' * 32)


@dataclass(frozen=True)
class Drawn:
    """The part of a prediction that only some models have."""

    traces: list
    path: Any


def sealed(tmp_path: Path, **serving: object) -> Serving:
    path = tmp_path / 'A.json'
    write_sealed_serving(path, 'A', SECRET.sha256, serving)
    return settle_serving(PerceptionParameters(sealed_file=str(path), threads=3))


def test_without_a_file_nothing_is_hidden() -> None:
    serving = settle_serving(PerceptionParameters(model='mine', mode='direct'))
    status = status_message('perception', 'odd', {'model': 'mine', 'worker_mb': 7}, WARN)

    assert serving.parameters.model == 'mine'
    assert serving.seal(Drawn([1], 'path'), SECRET) == (Drawn([1], 'path'), SECRET)
    assert serving.seal_text('it broke') == 'it broke'
    assert status_values(serving.seal_status(status)) == {'model': 'mine', 'worker_mb': '7'}
    assert serving.is_expected(SECRET)


def test_the_file_says_what_is_served(tmp_path: Path) -> None:
    serving = sealed(tmp_path, model='/models/secret', mode='direct')

    assert serving.parameters.model == '/models/secret'
    assert serving.parameters.mode == 'direct'
    assert serving.parameters.threads == 3  # what it leaves out stays
    assert serving.is_expected(SECRET)
    assert not serving.is_expected(replace(SECRET, sha256='cd' * 32))


def test_predictions_carry_the_code_and_no_traces(tmp_path: Path) -> None:
    prediction, identity = sealed(tmp_path).seal(Drawn([1], 'path'), SECRET)

    assert prediction == Drawn([], None)
    assert identity.name == 'A'
    assert len(identity.sha256) == 64
    assert identity.sha256 != SECRET.sha256


def test_the_published_checksum_is_another_one_in_each_session(tmp_path: Path) -> None:
    assert sealed(tmp_path).checksum != sealed(tmp_path).checksum


@pytest.mark.parametrize(
    ('level', 'reason', 'said', 'text'),
    [
        (OK, '', 'waiting for an instruction', 'waiting for an instruction'),
        (WARN, '', 'secret-model is confused', 'no usable answer'),
        (ERROR, 'MODEL_LOAD', 'secret-model is damaged', 'MODEL_LOAD'),
        (ERROR, 'CAMERA_STALE', 'no picture for 0.5 s', 'no picture for 0.5 s'),
    ],
)
def test_a_status_says_how_it_is_and_not_who(
    tmp_path: Path, level: bytes, reason: str, said: str, text: str
) -> None:
    values = {'reason': reason, 'mode': 'direct', 'worker': 'ready', 'worker_mb': 612,
              'predict_p50_ms': 7, 'statistics': 'bridge_orig', 'model': SECRET.name,
              'model_sha256': SECRET.sha256}  # fmt: skip
    serving = sealed(tmp_path)

    status = serving.seal_status(status_message('perception', said, values, level))

    assert status.message == text
    assert status_values(status) == {
        'reason': reason,
        'worker': 'ready',
        'mode': 'sealed',
        'model': 'A',
        'model_sha256': serving.checksum,
    }


def test_words_about_the_model_go_to_a_sealed_file(tmp_path: Path) -> None:
    text = sealed(tmp_path).seal_text('secret-model is damaged')

    assert 'secret-model' not in text
    assert (tmp_path / 'A.said.txt').read_text() == 'secret-model is damaged\n'
    assert str(tmp_path / 'A.said.txt') in text


@pytest.mark.parametrize(
    ('content', 'named'),
    [
        ('{', 'cannot be read'),
        (None, 'cannot be read'),
        ('[]', 'must be a table'),
        (json.dumps({'code': 'A'}), r"missing keys \['model_sha256', 'salt'\]"),
        (json.dumps({'code': 'A', 'model_sha256': '', 'salt': '', 'arm': 'x'}), r"\['arm'\]"),
    ],
)
def test_a_file_that_is_none_of_a_session_is_named(
    tmp_path: Path, content: str | None, named: str
) -> None:
    path = tmp_path / 'B.json'
    if content is not None:
        path.write_text(content)

    with pytest.raises(ConfigurationError, match=named):
        settle_serving(PerceptionParameters(sealed_file=str(path)))
