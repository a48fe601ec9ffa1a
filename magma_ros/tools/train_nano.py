"""``magma train-nano``: makes magma-nano from nothing, in simulation, on a CPU; resumable."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from magma_ros.errors import EnvironmentMissing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``magma train-nano``."""
    parser.epilog = (
        'Stages: demonstrations, vision tower, policy, corrections (DAgger), export. A second '
        'call goes on where the first stopped. Curves are CSV files in the folder. docs/nano.md.'
    )
    parser.add_argument('--folder', type=Path, default=Path('runs/nano'))
    parser.add_argument('--processes', type=int, default=2)
    for name, text in (
        ('episodes', 'demonstrations of the expert'),
        ('tower_steps', 'batches for the vision tower'),
        ('policy_steps', 'batches for projector and decoder'),
        ('rounds', 'of corrections'),
        ('round_episodes', 'episodes of each round'),
        ('round_steps', 'batches after each round'),
        ('seed', 'of everything random in training'),
    ):
        parser.add_argument(f'--{name.replace("_", "-")}', type=int, default=None, help=text)


def run(options: argparse.Namespace) -> int:
    """Train and say where the checkpoint is.

    Raises:
        EnvironmentMissing: torch is not installed.
    """
    try:
        from magma_ros.training.nano_recipe import NanoRecipe, run_recipe
    except ModuleNotFoundError as error:
        raise EnvironmentMissing(
            f'{error.name} is not installed: training needs the torch extra, "make train-nano" '
            'installs it'
        ) from error
    chosen = {field.name: getattr(options, field.name) for field in fields(NanoRecipe)}
    recipe = NanoRecipe(**{name: value for name, value in chosen.items() if value is not None})
    folder = run_recipe(options.folder, recipe, options.processes)
    print(f'checkpoint: {folder}; try it: magma evaluate --task pick --model {folder}')
    return 0
