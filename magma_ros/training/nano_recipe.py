"""The whole recipe of magma-nano, from nothing to a checkpoint; stages resume (torch).

demonstrations -> tower -> cached maps -> policy
-> (student's mistakes, corrected by the expert -> policy) x rounds
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from rich.progress import track
from torch import distributed, multiprocessing

from magma_ros.model.network.embedding_init import initialise_embeddings
from magma_ros.model.network.magma import MagmaForAction
from magma_ros.model.network.magma_config import MAGMA_NANO
from magma_ros.model.network.vision_tower import VisionTower
from magma_ros.model.text.nano_tokenizer import build_corpus, train_tokenizer
from magma_ros.model.text.text_tokenizer import load_tokenizer
from magma_ros.model.weights.checkpoint import save_checkpoint
from magma_ros.model.weights.checksum import write_checksums
from magma_ros.model.weights.export_onnx import export_onnx
from magma_ros.sim.instructions import TRAINED_PHRASINGS, phrase
from magma_ros.sim.tasks import CUBES, DIRECTIONS, RECEPTACLES, Task
from magma_ros.training.answers import AnswerEncoder
from magma_ros.training.frames import Demonstrations, join
from magma_ros.training.optimisation import load_snapshot
from magma_ros.training.policy_training import (
    MAPS_FILE,
    FrameSource,
    PolicyStage,
    Student,
    train_policy,
)
from magma_ros.training.tower_training import load_tower, normalise, train_tower

FIRST_TRAINING_SEED = 1_000  # evaluation begins at 100_000, corrections at 5_000_000
FIRST_CORRECTION_SEED = 5_000_000
TOKENIZER_FILE = 'tokenizer.json'


@dataclass(frozen=True)
class NanoRecipe:
    """Sizes of the stages; docs/nano.md says how the shipped checkpoint's run differed."""

    episodes: int = 1100
    tower_steps: int = 520
    policy_steps: int = 1900
    rounds: int = 3
    round_episodes: int = 250
    round_steps: int = 1300
    seed: int = 0


def run_recipe(folder: Path, recipe: NanoRecipe, processes: int = 2) -> Path:
    """Train magma-nano in ``folder``; returns the folder of the exported checkpoint.

    Stages that are finished are skipped, a stage that was interrupted goes on at its last
    snapshot. With the same recipe and seed the data are the same on every machine; weights agree
    as far as the processor's arithmetic and the number of processes do.
    """
    torch.set_num_threads(processes)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'recipe.json').write_text(json.dumps(asdict(recipe), indent=1))
    train_tokenizer(build_corpus(training_sentences())).save(str(folder / TOKENIZER_FILE))
    shares = collect_in_parallel(
        folder / 'expert', FIRST_TRAINING_SEED, recipe.episodes, processes, None
    )
    data = join([Demonstrations.load(share) for share in shares])
    tower = train_tower(data, folder, recipe.tower_steps, seed=recipe.seed)
    stage = PolicyStage('policy', None, tuple(shares), recipe.policy_steps, recipe.seed)
    checkpoint = run_stage(folder, tower, stage, processes)
    for number in range(recipe.rounds):
        first = FIRST_CORRECTION_SEED + 10_000 * number
        corrections = collect_in_parallel(
            folder / f'round_{number}', first, recipe.round_episodes, processes, checkpoint
        )
        shares += 2 * corrections  # they are few, and they are what the student gets wrong
        stage = PolicyStage(
            f'round_{number}_policy',
            stage.name,
            tuple(shares),
            recipe.round_steps,
            recipe.seed + 1 + number,
            rate=0.7,
            is_narrow=True,
            path_share=0.15,
        )
        checkpoint = run_stage(folder, tower, stage, processes)
    return checkpoint


def run_stage(folder: Path, tower: VisionTower, stage: PolicyStage, processes: int) -> Path:
    """Train one stage in parallel and export it; the folder of its checkpoint."""
    for share in stage.shares:
        cache_maps(tower, share)
    rendezvous = folder / f'{stage.name}.rendezvous'
    rendezvous.unlink(missing_ok=True)
    multiprocessing.spawn(_train_share, (processes, folder, stage, rendezvous), processes)
    model = _fresh_model(folder, stage.seed)
    load_snapshot(Student(model), folder / f'{stage.name}.safetensors')
    return export(model, folder / TOKENIZER_FILE, folder / f'checkpoint_{stage.name}')


def _train_share(
    rank: int, processes: int, folder: Path, stage: PolicyStage, rendezvous: Path
) -> None:
    """One process of a stage."""
    torch.set_num_threads(1)
    distributed.init_process_group(
        'gloo', init_method=f'file://{rendezvous.absolute()}', rank=rank, world_size=processes
    )
    model = _fresh_model(folder, stage.seed)
    load_tower(model.vision_tower, folder)
    encoder = AnswerEncoder(load_tokenizer(folder / TOKENIZER_FILE))
    train_policy(model, FrameSource.load(stage.shares), encoder, folder, stage)
    distributed.destroy_process_group()


def _fresh_model(folder: Path, seed: int) -> MagmaForAction:
    torch.manual_seed(seed)
    model = MagmaForAction(MAGMA_NANO)
    initialise_embeddings(model, load_tokenizer(folder / TOKENIZER_FILE), seed)
    return model


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


@torch.inference_mode()
def cache_maps(tower: VisionTower, share: Path) -> None:
    """The tower's maps of a share's pictures, (n, 8, 8, channels) float16, computed once."""
    path = share / MAPS_FILE
    if path.is_file():
        return
    tower.eval()
    images = Demonstrations.load(share).images
    maps = [
        tower(normalise(images[start : start + 64], None)).numpy().astype(np.float16)
        for start in track(range(0, len(images), 64), f'maps of {share.name}')
    ]
    np.save(path, np.concatenate(maps))


def export(model: MagmaForAction, tokenizer_json: Path, folder: Path) -> Path:
    """Weights, ONNX files and tokenizer as the runtime wants them."""
    folder.mkdir(parents=True, exist_ok=True)
    model.eval()
    save_checkpoint(model, folder)
    export_onnx(model, tokenizer_json, folder)
    write_checksums(folder)
    if not (folder / 'tokenizer.json').is_file():
        shutil.copy(tokenizer_json, folder / 'tokenizer.json')
    return folder
