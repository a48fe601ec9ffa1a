"""One finetuning run from settings to a model folder (torch); a second call goes on."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedType, PartialState
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from magma_ros.errors import ConfigurationError
from magma_ros.model.network.magma import MagmaForAction
from magma_ros.model.network.quantisation import Quantisation
from magma_ros.model.text.text_tokenizer import load_tokenizer
from magma_ros.model.weights.checkpoint import load_checkpoint
from magma_ros.model.weights.hub_folder import find_folder
from magma_ros.model.weights.model_folder import TOKENIZER_FILE
from magma_ros.resources import asset_path
from magma_ros.training.answers import ACTION, NUMBER
from magma_ros.training.finetuning.batches import BatchMaker, MixtureSampler
from magma_ros.training.finetuning.conversations import ConversationData, read_conversations
from magma_ros.training.finetuning.examples import ExampleEncoder
from magma_ros.training.finetuning.judging import Means, judge
from magma_ros.training.finetuning.learner import Learner, choose_trained
from magma_ros.training.finetuning.optimisers import make_optimisers, rate_at
from magma_ros.training.finetuning.publishing import publish
from magma_ros.training.finetuning.run_log import RunLog
from magma_ros.training.finetuning.settings import FinetuneSettings
from magma_ros.training.finetuning.validation import Validation
from magma_ros.training.optimisation import restore_snapshot, save_snapshot

SETTINGS_FILE, SNAPSHOT_FILE, MODEL_FOLDER = 'settings.json', 'snapshot.safetensors', 'model'
LOG_EVERY = 20  # steps
CLIP_NORM = 1.0


@dataclass
class _Run:
    """What the steps of a run share."""

    settings: FinetuneSettings
    accelerator: Accelerator
    learner: torch.nn.Module  # a Learner, perhaps wrapped
    optimisers: list[tuple[Any, float]]
    sampler: MixtureSampler
    batches: BatchMaker
    tables: dict[int, Tensor]
    steps: int


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
    accelerator = _make_accelerator(settings)
    if accelerator.is_main_process:
        claim_folder(folder, settings, data)
    accelerator.wait_for_everyone()
    model = load_base(base, settings, accelerator.device)
    torch.manual_seed(settings.seed)  # of the adapters' first values
    choose_trained(model, settings)
    tokenizer = load_tokenizer(base / TOKENIZER_FILE)
    encoder = ExampleEncoder(model.config, tokenizer, data.statistics)
    make = BatchMaker(
        data.train, encoder, model, settings.augmentation, settings.seed, accelerator.device
    )
    sampler = MixtureSampler(
        [sample.kind for sample in data.train], settings.mixture, settings.batch, settings.seed
    )
    learner = Learner(model)
    optimisers = make_optimisers(learner, settings)
    steps = settings.total_steps(sampler.size)
    snapshot = folder / SNAPSHOT_FILE
    done = _restore(snapshot, learner, [one for one, _ in optimisers], accelerator)
    prepared = accelerator.prepare(learner, *(one for one, _ in optimisers))
    base_ids = model.config.vocabulary.base_size
    tables = {
        NUMBER: torch.tensor(encoder.number_ids, device=accelerator.device),
        ACTION: torch.arange(base_ids - 256, base_ids, device=accelerator.device),
    }
    rates = [rate for _, rate in optimisers]
    run = _Run(
        settings, accelerator, prepared[0], list(zip(prepared[1:], rates, strict=True)),
        sampler, make, tables, steps,
    )  # fmt: skip
    validation = Validation(
        data, encoder, tokenizer, learner, settings, tables, accelerator.device
    )
    log = RunLog(folder, done) if accelerator.is_main_process else None
    last: dict[str, float] = {}
    sums = Means()
    for step in _with_progress(range(done, steps), steps, accelerator.is_main_process):
        sums.add(train_step(run, step))
        is_last = step + 1 == steps
        if log is not None and ((step + 1) % LOG_EVERY == 0 or is_last):
            log.note('train', step + 1, sums.take())
        if (step + 1) % settings.validation_every == 0 or is_last:
            with accelerator.autocast():
                last = validation.measure_loss(run.learner)
                if not is_sharded(accelerator):
                    last |= validation.measure_answers(folder if is_last else None)
            if log is not None and last:
                log.note('validation', step + 1, last)
        if (step + 1) % settings.snapshot_every == 0 or is_last:
            _save(snapshot, run, learner, step + 1)
    if log is None:
        return folder / MODEL_FOLDER
    log.draw()
    log.close()
    facts = {'steps': steps, 'validation': last, 'data': data.describe()}
    del run, prepared
    acted = data.statistics if settings.mixture.action else None  # else those of the base hold
    return publish(base, snapshot, settings, acted, folder / MODEL_FOLDER, facts, report)


def train_step(run: _Run, step: int) -> dict[str, float]:
    """One step of the optimisers; loss and the share of right action tokens."""
    settings, accelerator = run.settings, run.accelerator
    torch.manual_seed(settings.seed * 1_000_003 + step)
    indices = run.sampler.draw(step)
    mine = indices[accelerator.process_index :: accelerator.num_processes]
    run.learner.train()
    sums = Means()
    for start in range(0, len(mine), settings.micro_batch):
        batch = run.batches.make(mine[start : start + settings.micro_batch], step)
        with accelerator.accumulate(run.learner):
            with accelerator.autocast():
                logits = run.learner(batch.pixels, batch.ids, batch.rows, batch.places)
            loss, measured = judge(logits, batch, run.tables, settings.soft_bins)
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                accelerator.clip_grad_norm_(run.learner.parameters(), CLIP_NORM)
            share = rate_at(step, run.steps, settings)
            for optimiser, rate in run.optimisers:
                for group in optimiser.param_groups:
                    group['lr'] = rate * share
                optimiser.step()
                optimiser.zero_grad()
        sums.add(measured)
    return sums.take()


def load_base(base: Path, settings: FinetuneSettings, device: torch.device) -> MagmaForAction:
    """The checkpoint to begin with, where it is trained.

    Raises:
        ConfigurationError: QLoRA without CUDA, or a full finetuning of a model in half precision.
    """
    if settings.method == 'qlora' and device.type != 'cuda':
        raise ConfigurationError(
            'method qlora needs a CUDA device and bitsandbytes: use lora on this machine'
        )
    quantise: Quantisation | None = 'int4' if settings.method == 'qlora' else None
    model = load_checkpoint(base, device=str(device), quantise=quantise)
    return model.float() if settings.mixed_precision == 'no' and quantise is None else model


def claim_folder(folder: Path, settings: FinetuneSettings, data: ConversationData) -> None:
    """Make the folder of a run, or pass one of the same run.

    Raises:
        ConfigurationError: it holds another run.
    """
    told = {'settings': dataclasses.asdict(settings), 'data_sha256': data.sha256}
    path = folder / SETTINGS_FILE
    if path.is_file() and json.loads(path.read_text(encoding='utf-8')) != told:
        raise ConfigurationError(
            f'{folder} holds a run with other settings or data: choose another --folder, or '
            'remove it'
        )
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=1) + '\n', encoding='utf-8')


def _make_accelerator(settings: FinetuneSettings) -> Accelerator:
    processes = PartialState().num_processes
    micro_batches, rest = divmod(settings.batch, processes * settings.micro_batch)
    if rest:
        raise ConfigurationError(
            f'batch {settings.batch} does not divide into {processes} processes with micro_batch '
            f'{settings.micro_batch}'
        )
    return Accelerator(
        mixed_precision=settings.mixed_precision, gradient_accumulation_steps=micro_batches
    )


def _restore(
    snapshot: Path, learner: Learner, optimisers: list[Any], accelerator: Accelerator
) -> int:
    if not snapshot.is_file():
        return 0
    if is_sharded(accelerator):
        raise ConfigurationError(
            f'{snapshot} cannot be resumed with FSDP or DeepSpeed, whose optimisers are spread '
            'over the processes: choose another --folder'
        )
    done, weights = restore_snapshot(snapshot, optimisers)
    learner.model.load_state_dict(weights, strict=False)
    return done


def _save(snapshot: Path, run: _Run, learner: Learner, step: int) -> None:
    """Called by every process; the main one writes."""
    names = learner.trained().keys()
    state = run.accelerator.get_state_dict(run.learner)
    weights = {name: state[f'model.{name}'] for name in names}
    optimisers = [] if is_sharded(run.accelerator) else [one for one, _ in run.optimisers]
    if run.accelerator.is_main_process:
        save_snapshot(snapshot, weights, optimisers, step)


def is_sharded(accelerator: Accelerator) -> bool:
    """Whether weights and optimisers are spread over the processes."""
    return accelerator.distributed_type in (DistributedType.FSDP, DistributedType.DEEPSPEED)


def _with_progress(steps: range, total: int, is_shown: bool) -> Iterable[int]:
    columns = (
        TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Progress(*columns, disable=not is_shown) as progress:
        bar = progress.add_task('finetuning', total=total, completed=steps.start)
        for step in steps:
            yield step
            progress.advance(bar)
