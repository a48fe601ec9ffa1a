"""The whole recipe of magma-nano, from nothing to a checkpoint; stages resume (torch).

demonstrations -> tower -> cached maps -> policy
-> (student's mistakes, corrected by the expert -> policy) x rounds
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from rich.progress import track

from magma_ros.model.checkpoint import save_checkpoint
from magma_ros.model.embedding_init import initialise_embeddings
from magma_ros.model.export_onnx import export_onnx
from magma_ros.model.magma import MagmaForAction
from magma_ros.model.magma_config import MAGMA_NANO
from magma_ros.model.nano_tokenizer import build_corpus, train_tokenizer
from magma_ros.model.text_tokenizer import load_tokenizer
from magma_ros.model.vision_tower import VisionTower
from magma_ros.sim.instructions import TRAINED_PHRASINGS, phrase
from magma_ros.sim.tasks import CUBES, DIRECTIONS, RECEPTACLES, Task
from magma_ros.training.answers import AnswerEncoder
from magma_ros.training.demonstrations import Demonstrations
from magma_ros.training.policy_training import FrameSource, train_policy
from magma_ros.training.tower_training import normalise, train_tower

FIRST_TRAINING_SEED = 1_000  # evaluation begins at 100_000, corrections at 5_000_000
FIRST_CORRECTION_SEED = 5_000_000


@dataclass(frozen=True)
class NanoRecipe:
    """Sizes of the stages. The defaults made the shipped checkpoint (docs/nano.md)."""

    episodes: int = 1100
    tower_steps: int = 1000
    policy_steps: int = 2600
    rounds: int = 2
    round_episodes: int = 160
    round_steps: int = 500
    seed: int = 0


def run_recipe(folder: Path, recipe: NanoRecipe, processes: int = 2) -> Path:
    """Train magma-nano in ``folder``; returns the folder of the exported checkpoint.

    Stages that are finished are skipped, a stage that was interrupted goes on at its last
    snapshot. With the same recipe and seed the data are the same on every machine; weights agree
    as far as the processor's arithmetic does.
    """
    torch.set_num_threads(processes)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'recipe.json').write_text(json.dumps(asdict(recipe), indent=1))
    started_s = time.process_time()
    tokenizer_json = folder / 'tokenizer.json'
    train_tokenizer(build_corpus(training_sentences())).save(str(tokenizer_json))
    encoder = AnswerEncoder(load_tokenizer(tokenizer_json))

    shares = collect_in_parallel(
        folder / 'expert', FIRST_TRAINING_SEED, recipe.episodes, processes, None
    )
    data = join([Demonstrations.load(share) for share in shares])
    tower = train_tower(data, folder, recipe.tower_steps, seed=recipe.seed)
    maps = cached_maps(tower, data, folder / 'expert_maps.npy')

    model = new_model(tower, load_tokenizer(tokenizer_json), recipe.seed)
    source = FrameSource(data, maps)
    train_policy(model, source, encoder, folder, 'policy', recipe.policy_steps, seed=recipe.seed)
    for number in range(recipe.rounds):
        checkpoint = export(model, tokenizer_json, folder / f'checkpoint_{number}')
        first = FIRST_CORRECTION_SEED + 10_000 * number
        shares = collect_in_parallel(
            folder / f'round_{number}', first, recipe.round_episodes, processes, checkpoint
        )
        new = join([Demonstrations.load(share) for share in shares])
        new_maps = cached_maps(tower, new, folder / f'round_{number}_maps.npy')
        source = FrameSource(join([source.data, new]), np.concatenate([source.maps, new_maps]))
        train_policy(
            model,
            source,
            encoder,
            folder,
            f'round_{number}_policy',
            recipe.round_steps,
            seed=recipe.seed + 1 + number,
            rate=0.4,
            anneal_only=True,
        )
    final = export(model, tokenizer_json, folder / 'checkpoint')
    (final / 'training.json').write_text(
        json.dumps(
            {**asdict(recipe), 'cpu_s_of_last_run': round(time.process_time() - started_s)},
            indent=1,
        )
    )
    return final


def training_sentences() -> list[str]:
    """Every trained phrasing of every task, for the tokenizer's vocabulary."""
    sentences = []
    for kind, templates in TRAINED_PHRASINGS.items():
        destinations: Iterable[str | None] = RECEPTACLES if kind == 'put' else [None]
        directions: Iterable[str | None] = DIRECTIONS if kind == 'push' else [None]
        sentences += [
            phrase(Task(kind, cube, destination, direction), template)  # type: ignore[arg-type]
            for template in templates
            for cube in CUBES
            for destination in destinations
            for direction in directions
        ]
    return sentences


def collect_in_parallel(
    folder: Path, first_seed: int, episodes: int, processes: int, student: Path | None
) -> list[Path]:
    """One process per share of the seeds; finished shares are kept."""
    bounds = np.linspace(first_seed, first_seed + episodes, processes + 1).astype(int)
    shares = [folder.with_name(f'{folder.name}_{index}') for index in range(processes)]
    running = []
    for share, low, high in zip(shares, bounds[:-1], bounds[1:], strict=True):
        if not (share / 'note.json').is_file():
            command = [
                sys.executable,
                '-m',
                'magma_ros.training.collect_share',
                str(low),
                str(high),
                str(share),
            ]
            running.append(subprocess.Popen(command + ([str(student)] if student else [])))
    failed = [process.args for process in running if process.wait() != 0]
    if failed:
        raise RuntimeError(f'collecting demonstrations failed: {failed}')
    return shares


def join(parts: list[Demonstrations]) -> Demonstrations:
    """One set of frames from several."""
    fields = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in Demonstrations.FIELDS
    }
    return Demonstrations(np.concatenate([part.images for part in parts]), **fields)


@torch.inference_mode()
def cached_maps(tower: VisionTower, data: Demonstrations, path: Path) -> np.ndarray:
    """(n, 8, 8, channels) float16 maps of all pictures by the frozen tower, computed once."""
    if path.is_file():
        return np.load(path, allow_pickle=False)
    tower.eval()
    chunks = [
        tower(normalise(data.images[start : start + 64], None)).numpy().astype(np.float16)
        for start in track(range(0, len(data.states), 64), 'maps of the tower')
    ]
    maps = np.concatenate(chunks)
    np.save(path, maps)
    return maps


def new_model(tower: VisionTower, tokenizer: object, seed: int) -> MagmaForAction:
    """A fresh magma-nano with this tower."""
    torch.manual_seed(seed)
    model = MagmaForAction(MAGMA_NANO)
    initialise_embeddings(model, tokenizer, seed)  # type: ignore[arg-type]
    model.vision_tower = tower
    return model


def export(model: MagmaForAction, tokenizer_json: Path, folder: Path) -> Path:
    """Weights, ONNX files and tokenizer as the runtime wants them."""
    folder.mkdir(parents=True, exist_ok=True)
    model.eval()
    save_checkpoint(model, folder)
    export_onnx(model, tokenizer_json, folder)
    if not (folder / 'tokenizer.json').is_file():
        shutil.copy(tokenizer_json, folder / 'tokenizer.json')
    return folder
