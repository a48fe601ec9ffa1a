"""Second stage: projector and decoder learn to answer, on the frozen tower's cached maps (torch).

All questions about one picture share its tokens (prefix_sharing.py). Numbers and actions are
taught with soft targets that know that 120 is nearly 121; their width shrinks as training goes on.
A grounding head, dropped afterwards, asks the state of each colour word where that thing is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.progress import Progress
from torch import Tensor, nn

from magma_ros.model.magma import MagmaForAction
from magma_ros.model.magma_config import MAGMA_NANO
from magma_ros.model.prefix_sharing import share_prefix
from magma_ros.sim.instructions import random_sentence
from magma_ros.training.answers import ACTION, HARD, NUMBER, AnswerEncoder, Branch
from magma_ros.training.demonstrations import Demonstrations, task_from_indices
from magma_ros.training.optimisation import Optimisation
from magma_ros.training.tower_training import place_loss

SIGMA_START, SIGMA_END = 12.0, 2.0  # bins, width of the soft targets
SIGMA_SHRINKS_UNTIL = 0.6  # share of the training
PATH_WEIGHT, GROUNDING_WEIGHT = 3.0, 0.5
GROUNDING_LAYER = 2
ACTION_BRANCHES, PATH_BRANCHES = 4, 2
PATH_SHARE = 0.35  # of the batches ask for paths, the others for actions
LABEL_DITHER = 0.02  # normalised; no action value may occur often enough to be worth guessing


@dataclass
class FrameSource:
    """Demonstrations with the tower's maps, (n, 8, 8, channels) float16."""

    data: Demonstrations
    maps: np.ndarray


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
    source: FrameSource, encoder: AnswerEncoder, random: np.random.Generator, frames: int
) -> Batch:
    """Draw frames, sentences and labels; everything follows from ``random``."""
    data = source.data
    rows = np.sort(random.choice(len(data.states), frames, replace=False))
    is_path = bool(random.random() < PATH_SHARE)
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
    answer = (
        soft_cross_entropy(logits, ids, kinds, encoder, sigma) * weights
    ).sum() / weights.sum()
    frame, at, column = (torch.tensor(column) for column in zip(*batch.words, strict=True))
    guess = student.grounding_head(output.hidden_states[GROUNDING_LAYER][frame, at]).float()
    scores, offsets = guess[:, :64, None], guess[:, 64:].reshape(-1, 64, 1, 2)
    grounding, _ = place_loss(scores, offsets, batch.places[frame, column][:, None])
    return {'answer': answer, 'grounding': grounding}


def soft_cross_entropy(
    logits: Tensor, ids: Tensor, kinds: Tensor, encoder: AnswerEncoder, sigma: float
) -> Tensor:
    """(n, rows) logits -> (n,) losses.

    Words are hard targets; numbers and actions are Gaussians over their neighbours. The entropy
    of the soft target is subtracted: 0 is perfect at any ``sigma``.
    """
    log_probability = logits.log_softmax(dim=-1)
    loss = torch.zeros(len(ids))
    hard = kinds == HARD
    loss[hard] = -log_probability[hard].gather(1, ids[hard, None]).squeeze(1)
    base = MAGMA_NANO.vocabulary.base_size
    for kind, columns, index in (
        (NUMBER, torch.tensor(encoder.number_ids), None),
        (ACTION, torch.arange(base - 256, base), None),
    ):
        chosen = kinds == kind
        if not bool(chosen.any()):
            continue
        index = (columns[None, :] == ids[chosen, None]).int().argmax(dim=1)
        distance = torch.arange(256)[None, :] - index[:, None]
        target = torch.softmax(-(distance.float() ** 2) / (2 * sigma**2), dim=1)
        cross = -(target * log_probability[chosen][:, columns]).sum(dim=1)
        entropy = -(target * target.clamp(min=1e-12).log()).sum(dim=1)
        loss[chosen] = cross - entropy
    return loss


def sigma_at(step: int, steps: int) -> float:
    """Width of the soft targets in bins."""
    progress = min(1.0, step / (SIGMA_SHRINKS_UNTIL * steps))
    return SIGMA_START + progress * (SIGMA_END - SIGMA_START)


def train_policy(
    model: MagmaForAction,
    source: FrameSource,
    encoder: AnswerEncoder,
    folder: Path,
    name: str,
    steps: int,
    batch_frames: int = 16,
    seed: int = 0,
    rate: float = 1.0,
    anneal_only: bool = False,
) -> None:
    """Train projector and decoder in place; snapshots every 100 steps, resumed by a second call.

    Args:
        model: its tower stays as it is.
        source: frames and cached maps.
        encoder: builds the questions and answers.
        folder: snapshot ``<name>.safetensors`` and curve ``<name>_curve.csv`` go here.
        name: of this stage.
        steps: batches in all.
        batch_frames: pictures per batch, each with several questions.
        seed: of data order and labels.
        rate: multiplies both learning rates.
        anneal_only: soft targets are narrow from the beginning (for later rounds).
    """
    torch.manual_seed(seed)
    student = Student(model)
    for parameter in model.vision_tower.parameters():
        parameter.requires_grad_(False)
    optimisation = Optimisation(student, steps, muon_rate=0.015 * rate, adam_rate=2e-3 * rate)
    snapshot, curve = folder / f'{name}.safetensors', folder / f'{name}_curve.csv'
    done = optimisation.resume(snapshot)
    if done == 0:
        curve.write_text('step,action_loss,path_loss,grounding_loss\n')
    sums = {'action': [0.0, 0], 'path': [0.0, 0], 'grounding': [0.0, 0]}
    with Progress() as progress:
        bar = progress.add_task(name, total=steps, completed=done)
        for step in range(done, steps):
            random = np.random.default_rng((seed, 2, step))
            batch = make_batch(source, encoder, random, batch_frames)
            sigma = SIGMA_END if anneal_only else sigma_at(step, steps)
            with torch.autocast('cpu', torch.bfloat16):
                losses = student_loss(student, batch, encoder, sigma)
            weight = PATH_WEIGHT if batch.is_path else 1.0
            total = weight * losses['answer'] + GROUNDING_WEIGHT * losses['grounding']
            optimisation.step(total, step)
            for key, value in (
                ('path' if batch.is_path else 'action', losses['answer']),
                ('grounding', losses['grounding']),
            ):
                sums[key][0] += value.item()
                sums[key][1] += 1
            progress.advance(bar)
            if step % 100 == 99 or step == steps - 1:
                means = [
                    sums[key][0] / max(1, sums[key][1]) for key in ('action', 'path', 'grounding')
                ]
                with curve.open('a') as file:
                    file.write(f'{step + 1},' + ','.join(f'{mean:.4f}' for mean in means) + '\n')
                sums = {key: [0.0, 0] for key in sums}
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
