"""Second stage: projector and decoder learn to answer, on the frozen tower's cached maps (torch).

All questions about one picture share its tokens (prefix_sharing.py). Numbers and actions are
taught with soft targets that know that 120 is nearly 121; their width shrinks as training goes on.
A grounding head, dropped afterwards, asks the state of each colour word where that thing is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.progress import Progress
from torch import Tensor, distributed, nn

from magma_ros.model.network.magma import MagmaForAction
from magma_ros.model.network.magma_config import MAGMA_NANO
from magma_ros.model.network.prefix_sharing import share_prefix
from magma_ros.sim.instructions import random_sentence
from magma_ros.training.answers import ACTION, NUMBER, AnswerEncoder, Branch
from magma_ros.training.frames import Demonstrations, join_labels, task_from_indices
from magma_ros.training.optimisation import Optimisation, load_snapshot
from magma_ros.training.soft_targets import soft_cross_entropy
from magma_ros.training.tower_training import place_loss

BATCH_FRAMES = 16  # pictures in a batch of one process, each with several questions
MUON_RATE, ADAM_RATE = 0.015, 2e-3
SIGMA_START, SIGMA_END = 12.0, 2.0  # bins, width of the soft targets
SIGMA_SHRINKS_UNTIL = 0.6  # share of the training
PATH_WEIGHT, GROUNDING_WEIGHT = 3.0, 0.5
GROUNDING_LAYER = 2
ACTION_BRANCHES, PATH_BRANCHES = 4, 2
MAPS_FILE = 'maps.npy'
LABEL_DITHER = 0.02  # normalised; no action value may occur often enough to be worth guessing


@dataclass(frozen=True)
class PolicyStage:
    """One stage of the training of projector and decoder."""

    name: str  # of its snapshot and curve
    previous: str | None  # stage whose weights it begins with
    shares: tuple[Path, ...]  # folders of demonstrations
    steps: int
    seed: int
    rate: float = 1.0  # multiplies both learning rates
    is_narrow: bool = False  # soft targets are narrow from the beginning
    path_share: float = 0.35  # of the batches ask for paths, the others for actions


@dataclass
class FrameSource:
    """Labels of frames, and the tower's maps of their pictures, (n, 8, 8, channels) float16."""

    data: Demonstrations
    maps: np.ndarray

    @classmethod
    def load(cls, shares: Sequence[Path]) -> FrameSource:
        """Labels and maps of several shares; the pictures themselves stay on disk."""
        data = join_labels([Demonstrations.load(share) for share in shares])
        maps = [np.load(share / MAPS_FILE, allow_pickle=False) for share in shares]
        return cls(data, np.concatenate(maps))


class Student(nn.Module):
    """The model and its training-only grounding head."""

    def __init__(self, model: MagmaForAction) -> None:
        super().__init__()
        self.model = model
        self.grounding_head = nn.Linear(MAGMA_NANO.decoder.hidden_size, 3 * 64)


@dataclass
class Batch:
    """Tensors of one training step."""

    maps: Tensor  # (B, 8, 8, C)
    before: Tensor  # (B, nb) ids
    after: Tensor  # (B, na) ids
    branches: Tensor  # (B, sum of branch lengths) ids
    branch_lengths: list[int]
    places: Tensor  # (B, things, 2)
    answers: list[tuple[int, int, int, int, float]]  # row, position, id, kind, weight
    words: list[tuple[int, int, int]]  # row, position of a colour word, column of PRESENCE
    is_path: bool


def make_batch(
    source: FrameSource,
    encoder: AnswerEncoder,
    random: np.random.Generator,
    frames: int,
    path_share: float,
) -> Batch:
    """Draw frames, sentences and labels; everything follows from ``random``."""
    data = source.data
    rows = np.sort(random.choice(len(data.states), frames, replace=False))
    is_path = bool(random.random() < path_share)
    count = PATH_BRANCHES if is_path else ACTION_BRANCHES
    befores, afters, all_branches = [], [], []
    for row in rows:
        levels = np.clip(data.states[row].astype(int) + random.integers(-1, 2, 7), 0, 255)
        before, after = encoder.prefix(levels.tolist())
        befores.append(before)
        afters.append(after)
        labels = [0, *random.choice(np.arange(1, data.tasks.shape[1]), count - 1, replace=False)]
        all_branches.append(
            [_branch(data, row, label, is_path, encoder, random) for label in labels]
        )
    lengths = [max(len(branches[i].ids) for branches in all_branches) for i in range(count)]
    prefix_length = len(befores[0]) + MAGMA_NANO.visual_tokens() + len(afters[0])
    ids = np.full((frames, sum(lengths)), MAGMA_NANO.vocabulary.pad)
    answers, words = [], []
    for b, branches in enumerate(all_branches):
        start = 0
        for branch, length in zip(branches, lengths, strict=True):
            ids[b, start : start + len(branch.ids)] = branch.ids
            for offset, (kind, weight) in enumerate(
                zip(branch.kinds, branch.weights, strict=True)
            ):
                at = branch.first + offset
                answers.append((b, prefix_length + start + at - 1, branch.ids[at], kind, weight))
            words += [
                (b, prefix_length + start + word, column) for word, column in branch.grounding
            ]
            start += length
    return Batch(
        torch.from_numpy(source.maps[rows].astype(np.float32)),
        torch.tensor(befores),
        torch.tensor(afters),
        torch.from_numpy(ids),
        lengths,
        torch.from_numpy(data.places[rows]),
        answers,
        words,
        is_path,
    )


def student_loss(
    student: Student, batch: Batch, encoder: AnswerEncoder, sigma: float
) -> dict[str, Tensor]:
    """Mean losses of a batch: ``answer`` (path or action) and ``grounding``."""
    model = student.model
    visual = model.multi_modal_projector(batch.maps)
    embeds = torch.cat(
        [model.embed(batch.before), visual, model.embed(batch.after), model.embed(batch.branches)],
        dim=1,
    )
    prefix = embeds.shape[1] - batch.branches.shape[1]
    mask, positions = share_prefix(prefix, batch.branch_lengths)
    output = model.language_model.model(
        inputs_embeds=embeds,
        attention_mask=mask.expand(len(embeds), -1, -1, -1),
        position_ids=positions,
        output_hidden_states=True,
        use_cache=False,
    )
    rows, places, ids, kinds, weights = (
        torch.tensor(column) for column in zip(*batch.answers, strict=True)
    )
    logits = model.language_model.lm_head(output.last_hidden_state[rows, places]).float()
    base = MAGMA_NANO.vocabulary.base_size
    tables = {NUMBER: torch.tensor(encoder.number_ids), ACTION: torch.arange(base - 256, base)}
    answer = (
        soft_cross_entropy(logits, ids, kinds, tables, sigma) * weights
    ).sum() / weights.sum()
    frame, at, column = (torch.tensor(column) for column in zip(*batch.words, strict=True))
    guess = student.grounding_head(output.hidden_states[GROUNDING_LAYER][frame, at]).float()
    scores, offsets = guess[:, :64, None], guess[:, 64:].reshape(-1, 64, 1, 2)
    grounding, _ = place_loss(scores, offsets, batch.places[frame, column][:, None])
    return {'answer': answer, 'grounding': grounding}


def sigma_at(step: int, steps: int) -> float:
    """Width of the soft targets in bins."""
    progress = min(1.0, step / (SIGMA_SHRINKS_UNTIL * steps))
    return SIGMA_START + progress * (SIGMA_END - SIGMA_START)


def train_policy(
    model: MagmaForAction,
    source: FrameSource,
    encoder: AnswerEncoder,
    folder: Path,
    stage: PolicyStage,
) -> None:
    """Train projector and decoder in place; a snapshot every 100 steps, resumed by a second call.

    In a process group every process draws batches of its own and the gradients are averaged.
    """
    rank = distributed.get_rank() if distributed.is_initialized() else 0
    torch.manual_seed(stage.seed)
    student = Student(model)
    for parameter in model.vision_tower.parameters():
        parameter.requires_grad_(False)
    optimisation = Optimisation(
        student, stage.steps, muon_rate=MUON_RATE * stage.rate, adam_rate=ADAM_RATE * stage.rate
    )
    snapshot, curve = folder / f'{stage.name}.safetensors', folder / f'{stage.name}_curve.csv'
    if not snapshot.is_file() and stage.previous:
        load_snapshot(student, folder / f'{stage.previous}.safetensors')
    done = optimisation.resume(snapshot)
    if done == 0 and rank == 0:
        curve.write_text('step,action_loss,path_loss,grounding_loss\n')
    sums: dict[str, list[float]] = {'action': [], 'path': [], 'grounding': []}
    with Progress(disable=rank > 0) as progress:
        bar = progress.add_task(stage.name, total=stage.steps, completed=done)
        for step in range(done, stage.steps):
            random = np.random.default_rng((stage.seed, 2, step, rank))
            batch = make_batch(source, encoder, random, BATCH_FRAMES, stage.path_share)
            sigma = SIGMA_END if stage.is_narrow else sigma_at(step, stage.steps)
            with torch.autocast('cpu', torch.bfloat16):
                losses = student_loss(student, batch, encoder, sigma)
            weight = PATH_WEIGHT if batch.is_path else 1.0
            total = weight * losses['answer'] + GROUNDING_WEIGHT * losses['grounding']
            optimisation.step(total, step)
            sums['path' if batch.is_path else 'action'].append(losses['answer'].item())
            sums['grounding'].append(losses['grounding'].item())
            progress.advance(bar)
            if rank == 0 and (step % 100 == 99 or step == stage.steps - 1):
                means = [np.mean(values) if values else np.nan for values in sums.values()]
                with curve.open('a') as file:
                    file.write(f'{step + 1},' + ','.join(f'{mean:.4f}' for mean in means) + '\n')
                sums = {key: [] for key in sums}
                optimisation.save(snapshot, step + 1)


def _branch(
    data: Demonstrations,
    row: int,
    label: int,
    is_path: bool,
    encoder: AnswerEncoder,
    random: np.random.Generator,
) -> Branch:
    task = task_from_indices(*(int(i) for i in data.tasks[row, label]))
    sentence = random_sentence(task, random)
    if is_path:
        paths, events = data.paths[row, label], data.events[row, label]
        return encoder.path(sentence, task, data.tools[row], paths, events)
    action = data.actions[row, label].copy()
    action[:6] = np.clip(action[:6] + random.normal(0, LABEL_DITHER, 6), -1, 1)
    return encoder.action(sentence, task, action)
