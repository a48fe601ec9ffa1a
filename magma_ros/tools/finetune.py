"""``magma finetune``: a checkpoint learns from conversations that ``magma data`` wrote."""

from __future__ import annotations

import argparse
from pathlib import Path

from magma_ros.errors import EnvironmentMissing

EPILOG = """\
examples:
  magma finetune config/finetune/nano_traces.yaml --data runs/side/data --folder runs/side/run
  magma finetune config/finetune/magma8b_lora.yaml --data DIR --estimate   memory, and stop
  accelerate launch --config_file config/finetune/accelerate/ddp.yaml \\
      -m magma_ros.tools.magma finetune config/finetune/magma8b_lora.yaml --data DIR

A second call with the same settings goes on where the first stopped. docs/finetuning.md.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``magma finetune``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument('config', type=Path, metavar='CONFIG', help='a file of config/finetune')
    parser.add_argument('--folder', type=Path, default=Path('runs/finetune'), help='of the run')
    parser.add_argument('--data', metavar='DIR', help='instead of the data in CONFIG')
    parser.add_argument('--model', metavar='MODEL', help='instead of the model in CONFIG')
    parser.add_argument('--steps', type=int, help='instead of the steps in CONFIG')
    parser.add_argument('--seed', type=int, help='instead of the seed in CONFIG')
    parser.add_argument(
        '--estimate', action='store_true', help='say how much memory it takes, and stop'
    )


def run(options: argparse.Namespace) -> int:
    """Train, and say where the model is.

    Raises:
        ConfigurationError: settings, data or folder cannot be used.
        ModelError: the checkpoint cannot.
        EnvironmentMissing: torch, accelerate, peft or matplotlib is not installed.
    """
    try:
        from magma_ros.training.finetuning.memory import describe_memory
        from magma_ros.training.finetuning.run import finetune
        from magma_ros.training.finetuning.settings import read_settings
    except ModuleNotFoundError as error:
        raise EnvironmentMissing(
            f'{error.name} is not installed: pip install -e ".[finetune]"'
        ) from error
    settings = read_settings(
        options.config,
        data=options.data,
        model=options.model,
        steps=options.steps,
        seed=options.seed,
    )
    print(describe_memory(settings))
    if options.estimate:
        return 0
    model = finetune(settings, options.folder)
    print(f'model: {model}; curves and plots: {options.folder}')
    print(f'try it: magma evaluate --task pick --model {model}')
    return 0
