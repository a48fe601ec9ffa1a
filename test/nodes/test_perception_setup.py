"""What the worker makes of perception's ``model`` parameter: a folder, a server, a script."""

from __future__ import annotations

import sys

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('websockets', reason='needs the serve extra')

from magma_ros.errors import ConfigurationError, EnvironmentMissing, ModelError  # noqa: E402
from magma_ros.image.image_preparation import prepare_image  # noqa: E402
from magma_ros.nodes.model_worker_loading import ModelSettings, load_model  # noqa: E402
from magma_ros.nodes.perception_setup import (  # noqa: E402
    PerceptionParameters,
    model_settings,
    set_up,
)


def load(model: str, **options):
    settings = model_settings(PerceptionParameters(model=model, **options))
    acting = load_model(ModelSettings.of_message(settings.as_message()), prepare_image)
    return acting.model, acting.statistics


@pytest.mark.parametrize('address', ['ws://127.0.0.1:1', 'http://127.0.0.1:1/act'])
def test_an_address_is_asked_and_an_absent_server_named(address) -> None:
    with pytest.raises(ModelError, match='127.0.0.1:1.* cannot be reached'):
        load(address)


def test_a_wrong_address_is_named() -> None:
    with pytest.raises(ConfigurationError, match='options are actions'):
        load('ws://127.0.0.1:1?action=bridge')


def test_missing_libraries_are_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, 'websockets.asyncio.client', None)
    monkeypatch.delitem(sys.modules, 'magma_ros.model.backends.remote_openpi', raising=False)
    with pytest.raises(EnvironmentMissing, match=r'websockets.* is not installed: pip install'):
        load('ws://127.0.0.1:1')


def test_scripted_and_folders_stay_what_they_were() -> None:
    model, statistics = load('scripted')
    assert (model.identity.name, statistics.key) == ('scripted', 'magma_nano_sim')
    with pytest.raises(ModelError, match='is not a folder'):
        load('/nowhere')
    with pytest.raises(ConfigurationError, match='seven numbers'):
        load('scripted', scripted_actions=(0.0,) * 8)


def test_another_model_draws_the_paths() -> None:
    model, statistics = load('scripted', path_model='openai+http://127.0.0.1:1/Hamster_dev')
    assert model.identity.name.startswith('scripted, paths of Hamster_dev (remote')
    assert statistics.key == 'magma_nano_sim'
    model.close()


@pytest.mark.parametrize('options', [{'mode': 'path'}, {'mode': 'direct', 'draw_path': True}])
def test_a_path_that_is_drawn_anyway_is_not_asked_for_twice(options) -> None:
    with pytest.raises(ConfigurationError, match='trace_period_s'):
        set_up(None, PerceptionParameters(trace_period_s=1.0, **options), lambda state: None)
