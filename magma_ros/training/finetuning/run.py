"""One finetuning run from settings to a model folder (torch); a second call goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from magma_ros.model.weights.hub_folder import find_folder
from magma_ros.resources import asset_path
from magma_ros.training.finetuning.conversations import read_conversations
from magma_ros.training.finetuning.judging import Means, judge
from magma_ros.training.finetuning.optimisers import rate_at
from magma_ros.training.finetuning.preparation import SNAPSHOT_FILE, Run, is_sharded, prepare
from magma_ros.training.finetuning.publishing import publish
from magma_ros.training.finetuning.run_log import RunLog
from magma_ros.training.finetuning.settings import FinetuneSettings
from magma_ros.training.optimisation import save_snapshot

MODEL_FOLDER = 'model'
LOG_EVERY = 20  # steps
CLIP_NORM = 1.0


def finetune(
    settings: FinetuneSettings, folder: Path, report: Callable[[str], object] = print
) -> Path:
    """Train, validate and publish; returns the folder of the model.

    What is drawn in a step, how it is augmented and which units drop out depend on the seed and
    the number of the step alone, so a run that was killed and called again ends at the same
    weights (on the same machine and number of processes).

    Raises:
        ConfigurationError: settings, data or the folder cannot be used.
        ModelError: the checkpoint cannot.
        EnvironmentMissing: a library or device is missing.
    """
    data = read_conversations(Path(settings.data))
    base = find_folder(settings.model or asset_path('nano'))
    run = prepare(settings, folder, data, base)
    log = RunLog(folder, run.done) if run.accelerator.is_main_process else None
    _train(run, folder, log)
    if log is None:
        return folder / MODEL_FOLDER
    log.draw()
    log.close()
    newest = log.newest('validation')
    facts = {'steps': run.steps, 'validation': newest, 'data': data.describe()}
    statistics = data.statistics if settings.mixture.action else None  # else the base's hold
    del run  # two models need not be in memory
    return publish(
        base, folder / SNAPSHOT_FILE, settings, statistics, folder / MODEL_FOLDER, facts, report
    )


def _train(run: Run, folder: Path, log: RunLog | None) -> None:
    """All steps that are not done; log is the main process's."""
    settings, means = run.settings, Means()
    for step in _with_progress(range(run.done, run.steps), log is not None):
        means.add(train_step(run, step))
        count, is_last = step + 1, step + 1 == run.steps
        if log is not None and (count % LOG_EVERY == 0 or is_last):
            log.note('train', count, means.take())
        if count % settings.validation_every == 0 or is_last:
            measured = _validate(run, folder if is_last and log is not None else None)
            if log is not None and measured:
                log.note('validation', count, measured)
        if count % settings.snapshot_every == 0 or is_last:
            _save(folder / SNAPSHOT_FILE, run, count)


def _validate(run: Run, plots: Path | None) -> dict[str, float]:
    with run.accelerator.autocast():
        measured = run.validation.measure_loss(run.wrapped)
    if is_sharded(run.accelerator):
        return measured  # no process has a whole model to ask
    table = run.learner.model.language_model.model.embed_tokens.weight
    # Answers in the precision of the weights, as at run time; in bf16 one trace in eight got lost.
    is_single = table.dtype is torch.float32
    with nullcontext() if is_single else run.accelerator.autocast():
        return measured | run.validation.measure_answers(plots)


def train_step(run: Run, step: int) -> dict[str, float]:
    """One step of the optimisers; loss and the share of right action tokens."""
    settings, accelerator = run.settings, run.accelerator
    torch.manual_seed(settings.seed * 1_000_003 + step)
    indices = run.sampler.draw(step)
    mine = indices[accelerator.process_index :: accelerator.num_processes]
    run.wrapped.train()
    sums = Means()
    for start in range(0, len(mine), settings.micro_batch):
        batch = run.batches.make(mine[start : start + settings.micro_batch], step)
        with accelerator.accumulate(run.wrapped):
            with accelerator.autocast():
                logits = run.wrapped(batch.pixels, batch.ids, batch.rows, batch.places)
            loss, measured = judge(logits, batch, run.tables, settings.soft_bins)
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                accelerator.clip_grad_norm_(run.wrapped.parameters(), CLIP_NORM)
            share = rate_at(step, run.steps, settings)
            for optimiser, rate in run.optimisers:
                for group in optimiser.param_groups:
                    group['lr'] = rate * share
                optimiser.step()
                optimiser.zero_grad()
        sums.add(measured)
    return sums.take()


def _save(snapshot: Path, run: Run, step: int) -> None:
    """Called by every process; the main one writes."""
    state = run.accelerator.get_state_dict(run.wrapped)
    weights = {name: state[f'model.{name}'] for name in run.learner.trained()}
    optimisers = [] if is_sharded(run.accelerator) else [one for one, _ in run.optimisers]
    if run.accelerator.is_main_process:
        save_snapshot(snapshot, weights, optimisers, step)


def _with_progress(steps: range, is_shown: bool) -> Iterable[int]:
    columns = (
        TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Progress(*columns, disable=not is_shown) as progress:
        bar = progress.add_task('finetuning', total=steps.stop, completed=steps.start)
        for step in steps:
            yield step
            progress.advance(bar)
