"""Everything a run needs before its first step (torch): devices, model, optimisers, resumption."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedType, PartialState
from torch import Tensor, nn

from magma_ros.errors import ConfigurationError
from magma_ros.model.network.magma import MagmaForAction
from magma_ros.model.network.quantisation import Quantisation
from magma_ros.model.text.text_tokenizer import load_tokenizer
from magma_ros.model.weights.checkpoint import load_checkpoint
from magma_ros.model.weights.model_folder import TOKENIZER_FILE
from magma_ros.training.answers import ACTION, NUMBER
from magma_ros.training.finetuning.batches import BatchMaker, MixtureSampler
from magma_ros.training.finetuning.conversations import ConversationData
from magma_ros.training.finetuning.examples import ExampleEncoder
from magma_ros.training.finetuning.learner import Learner, choose_trained
from magma_ros.training.finetuning.optimisers import make_optimisers
from magma_ros.training.finetuning.settings import FinetuneSettings
from magma_ros.training.finetuning.validation import Validation
from magma_ros.training.optimisation import restore_snapshot

SETTINGS_FILE, SNAPSHOT_FILE = 'settings.json', 'snapshot.safetensors'


@dataclass
class Run:
    """What the steps of a run share."""

    settings: FinetuneSettings
    accelerator: Accelerator
    learner: Learner
    wrapped: nn.Module  # the learner as DDP or FSDP wrap it
    optimisers: list[tuple[Any, float]]  # each with its full rate
    sampler: MixtureSampler
    batches: BatchMaker
    validation: Validation
    tables: dict[int, Tensor]  # ids of numbers and actions in the order of their values
    steps: int
    done: int  # steps that a snapshot has brought


def prepare(settings: FinetuneSettings, folder: Path, data: ConversationData, base: Path) -> Run:
    """Claim the folder, load the model, and go back to the last snapshot if there is one.

    Raises:
        ConfigurationError: settings or folder cannot be used.
        ModelError: the checkpoint cannot.
        EnvironmentMissing: a library or device is missing.
    """
    accelerator = make_accelerator(settings)
    if accelerator.is_main_process:
        claim_folder(folder, settings, data)
    accelerator.wait_for_everyone()
    device = accelerator.device
    model = load_base(base, settings, device)
    torch.manual_seed(settings.seed)  # of the adapters' first values
    choose_trained(model, settings)
    learner = Learner(model)
    tokenizer = load_tokenizer(base / TOKENIZER_FILE)
    encoder = ExampleEncoder(model.config, tokenizer, data.statistics)
    batches = BatchMaker(data.train, encoder, model, settings.augmentation, settings.seed, device)
    kinds = [sample.kind for sample in data.train]
    sampler = MixtureSampler(kinds, settings.mixture, settings.batch, settings.seed)
    end = model.config.vocabulary.base_size
    tables = {
        NUMBER: torch.tensor(encoder.number_ids, device=device),
        ACTION: torch.arange(end - 256, end, device=device),
    }
    validation = Validation(data, encoder, tokenizer, learner, settings, tables, device)
    optimisers = make_optimisers(learner, settings)
    done = _restore(folder / SNAPSHOT_FILE, learner, optimisers, accelerator)
    wrapped, *prepared = accelerator.prepare(learner, *(one for one, _ in optimisers))
    rated = [(one, rate) for one, (_, rate) in zip(prepared, optimisers, strict=True)]
    steps = settings.total_steps(sampler.size)
    return Run(
        settings, accelerator, learner, wrapped, rated, sampler, batches, validation, tables,
        steps, done,
    )  # fmt: skip


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


def make_accelerator(settings: FinetuneSettings) -> Accelerator:
    """The processes and devices there are; raises ConfigurationError if batch does not divide."""
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


def is_sharded(accelerator: Accelerator) -> bool:
    """Whether weights and optimisers are spread over the processes."""
    return accelerator.distributed_type in (DistributedType.FSDP, DistributedType.DEEPSPEED)


def _restore(
    snapshot: Path, learner: Learner, optimisers: list[tuple[Any, float]], accelerator: Accelerator
) -> int:
    if not snapshot.is_file():
        return 0
    if is_sharded(accelerator):
        raise ConfigurationError(
            f'{snapshot} cannot be resumed with FSDP or DeepSpeed, whose optimisers are spread '
            'over the processes: choose another --folder'
        )
    done, weights = restore_snapshot(snapshot, [one for one, _ in optimisers])
    learner.model.load_state_dict(weights, strict=False)
    return done
