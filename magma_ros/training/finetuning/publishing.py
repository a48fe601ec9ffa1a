"""The trained model as a folder that ``--model`` takes (torch): merged, with its statistics."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open

from magma_ros import __version__
from magma_ros.model.action_scaling import ActionStatistics
from magma_ros.model.weights.checkpoint import (
    checksum_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from magma_ros.model.weights.checksum import write_checksums
from magma_ros.model.weights.export_onnx import export_checkpoint
from magma_ros.model.weights.model_folder import TOKENIZER_FILE
from magma_ros.training.finetuning.conversations import STATISTICS_FILE
from magma_ros.training.finetuning.learner import choose_trained, merge_adapters
from magma_ros.training.finetuning.settings import FinetuneSettings

MANIFEST_FILE = 'manifest.json'


def publish(
    base: Path,
    snapshot: Path,
    settings: FinetuneSettings,
    statistics: ActionStatistics | None,
    directory: Path,
    facts: dict[str, Any],
    report: Callable[[str], object] = print,
) -> Path:
    """Write the model of a snapshot; returns the folder to run it from.

    The base is loaded again in the precision it is stored in, on the CPU, so that adapters which
    were trained on quantised weights are merged into the real ones.

    Args:
        base: folder of the checkpoint the run began with.
        snapshot: of the run; only its weights are read.
        settings: of the run.
        statistics: of the data; none keeps those of the base.
        directory: made new; an older one of the same run is replaced.
        facts: for the manifest.
        report: told what is done.
    """
    report(f'merging into {base}')
    model = load_checkpoint(base)
    choose_trained(model, dataclasses.replace(settings, gradient_checkpointing=False))
    with safe_open(snapshot, 'pt') as stored:  # type: ignore[no-untyped-call]
        names = [name for name in stored.keys() if name.startswith('model.')]  # noqa: SIM118
        weights = {name.removeprefix('model.'): stored.get_tensor(name) for name in names}
    unknown = model.load_state_dict(weights, strict=False).unexpected_keys
    assert not unknown, unknown
    merge_adapters(model)
    if statistics is not None:
        model.config = dataclasses.replace(model.config, statistics_key=statistics.key)
    draft = directory.with_name(f'{directory.name}.draft')
    shutil.rmtree(draft, ignore_errors=True)
    save_checkpoint(model, draft)
    shutil.copyfile(base / TOKENIZER_FILE, draft / TOKENIZER_FILE)
    _add_statistics(draft, base, statistics)
    manifest = {
        'magma_ros': __version__,
        'base_sha256': checksum_checkpoint(base),
        'sha256': checksum_checkpoint(draft),
        'settings': dataclasses.asdict(settings),
        **facts,
    }
    (draft / MANIFEST_FILE).write_text(json.dumps(manifest, indent=1) + '\n', encoding='utf-8')
    write_checksums(draft)
    shutil.rmtree(directory, ignore_errors=True)
    draft.replace(directory)
    if not settings.export_onnx:
        return directory
    exported = directory.with_name(f'{directory.name}_onnx')
    shutil.rmtree(exported, ignore_errors=True)
    export_checkpoint(directory, exported, report=report)
    return exported


def _add_statistics(directory: Path, base: Path, statistics: ActionStatistics | None) -> None:
    path = directory / STATISTICS_FILE
    if statistics is None:
        if (base / STATISTICS_FILE).is_file():
            shutil.copyfile(base / STATISTICS_FILE, path)
        return
    action = {
        name: np.asarray(getattr(statistics, name)).tolist() for name in ('q01', 'q99', 'mask')
    }
    path.write_text(json.dumps({statistics.key: {'action': action}}, indent=1), encoding='utf-8')
