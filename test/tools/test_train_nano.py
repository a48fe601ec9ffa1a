from __future__ import annotations

import argparse
import importlib
import sys

import pytest

from magma_ros.errors import EnvironmentMissing
from magma_ros.tools import train_nano


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    train_nano.add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.mark.torch
def test_options_replace_the_recipes_own_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip('torch')
    nano_recipe = importlib.import_module('magma_ros.training.nano_recipe')
    calls = []

    def run_recipe(folder, recipe, processes):
        calls.append((folder, recipe, processes))
        return folder / 'checkpoint'

    monkeypatch.setattr(nano_recipe, 'run_recipe', run_recipe)

    assert train_nano.run(options('--folder', 'somewhere', '--rounds', '0', '--seed', '3')) == 0

    ((folder, recipe, processes),) = calls
    assert (str(folder), processes) == ('somewhere', 2)
    assert recipe == nano_recipe.NanoRecipe(rounds=0, seed=3)


def test_without_torch_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'torch', None)
    monkeypatch.delitem(sys.modules, 'magma_ros.training.nano_recipe', raising=False)

    with pytest.raises(EnvironmentMissing, match='torch.*make train-nano'):
        train_nano.run(options())
