"""Finetuning at nano size: it learns, resumes to the bit, and leaves a model that runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_conversations import INSTRUCTION, OVERHEAD, STATISTICS_KEY, edit, write_tiny

torch = pytest.importorskip('torch')
pytest.importorskip('accelerate')
pytest.importorskip('peft')

from accelerate.commands.config.config_args import load_config_from_file  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

from magma_ros.data_types import ArmState  # noqa: E402
from magma_ros.errors import ConfigurationError  # noqa: E402
from magma_ros.image.image_preparation import prepare_image  # noqa: E402
from magma_ros.model.backends.acting_model import ModelChoice, load_acting_model  # noqa: E402
from magma_ros.model.network.magma_config import MAGMA_NANO  # noqa: E402
from magma_ros.model.text.prompts import action_prompt, trace_prompt  # noqa: E402
from magma_ros.model.text.state_text import format_state  # noqa: E402
from magma_ros.model.text.text_tokenizer import load_tokenizer  # noqa: E402
from magma_ros.model.weights.checkpoint import load_checkpoint  # noqa: E402
from magma_ros.resources import asset_path, config_path  # noqa: E402
from magma_ros.training.finetuning import run  # noqa: E402
from magma_ros.training.finetuning.conversations import read_conversations  # noqa: E402
from magma_ros.training.finetuning.examples import ExampleEncoder  # noqa: E402
from magma_ros.training.finetuning.learner import choose_trained, merge_adapters  # noqa: E402
from magma_ros.training.finetuning.memory import estimate_training_memory  # noqa: E402
from magma_ros.training.finetuning.path_labels import label_paths  # noqa: E402
from magma_ros.training.finetuning.preparation import load_base  # noqa: E402
from magma_ros.training.finetuning.run_log import read_log  # noqa: E402
from magma_ros.training.finetuning.settings import (  # noqa: E402
    FinetuneSettings,
    LoraSettings,
    Mixture,
)
from magma_ros.training.finetuning.validation import action_errors, trace_errors  # noqa: E402

pytestmark = pytest.mark.torch
NANO = asset_path('nano')


def tiny_settings(data: Path, **changes: object) -> FinetuneSettings:
    settings = FinetuneSettings(
        str(data), steps=4, batch=2, micro_batch=1, learning_rate=1e-3, mixed_precision='no',
        mixture=Mixture(1.0, 1.0), lora=LoraSettings(rank=4), gradient_checkpointing=False,
        validation_every=4, validation_samples=1, snapshot_every=2,
    )  # fmt: skip
    return replace(settings, **changes)  # type: ignore[arg-type]


def write_with_paths(folder: Path, episodes: int = 4) -> Path:
    """The tiny data with paths in hindsight."""
    data = write_tiny(folder / 'data', episodes)
    cameras = {f'pick_{number}': OVERHEAD for number in range(episodes)}
    label_paths(data, cameras, folder / 'paths')
    return folder / 'paths'


def quiet(_: str) -> None:
    pass


class Killed(BaseException):
    """Stands for SIGKILL between two steps."""


def finetune_killed_at(step: int, settings: FinetuneSettings, folder: Path, monkeypatch) -> Path:
    train_step = run.train_step

    def dying(state, number):
        if number == step:
            raise Killed
        return train_step(state, number)

    monkeypatch.setattr(run, 'train_step', dying)
    with pytest.raises(Killed):
        run.finetune(settings, folder, quiet)
    monkeypatch.setattr(run, 'train_step', train_step)
    return run.finetune(settings, folder, quiet)


def test_a_killed_run_ends_at_the_same_weights(tmp_path: Path, monkeypatch) -> None:
    settings = tiny_settings(write_with_paths(tmp_path))  # LoRA with dropout and augmentation
    monkeypatch.setattr(run, 'LOG_EVERY', 1)

    whole = run.finetune(settings, tmp_path / 'whole', quiet)
    resumed = finetune_killed_at(3, settings, tmp_path / 'killed', monkeypatch)

    weights, again = (load_file(model / 'model.safetensors') for model in (whole, resumed))
    base = load_file(NANO / 'model.safetensors')
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    changed = {name for name in weights if not torch.equal(weights[name], base[name])}
    assert any('q_proj' in name for name in changed)
    assert any('multi_modal_projector' in name for name in changed)
    assert not any('vision_tower' in name or 'embed' in name for name in changed)
    log = read_log(tmp_path / 'killed' / 'log.jsonl')
    assert [entry['step'] for entry in log] == [1, 2, 3, 4, 4]  # the third was done twice
    assert log[-1]['part'] == 'validation'
    for name in ('curves.png', 'open_loop.png', 'traces.png'):
        assert (tmp_path / 'killed' / name).stat().st_size > 1000

    acting = load_acting_model(ModelChoice(str(whole)), prepare_image)
    assert acting.statistics is not None
    assert acting.statistics.key == STATISTICS_KEY
    joints = np.zeros(6)
    arm = ArmState(joints, joints, OVERHEAD.pose_camera_in_base, 1.0, 0)
    answer = acting.model.generate_action(np.zeros((48, 64, 3), np.uint8), INSTRUCTION, arm)
    assert np.abs(answer.normalised).max() <= 1.0
    manifest = json.loads((whole / 'manifest.json').read_text())
    assert manifest['data']['statistics_key'] == STATISTICS_KEY
    assert manifest['sha256'] == acting.model.identity.sha256
    assert {'loss', 'l1_mm', 'l1_deg', 'l1_gripper', 'trace_missing'} <= set(
        manifest['validation']
    )


def test_a_full_finetuning_learns_a_few_actions_by_heart(tmp_path: Path, monkeypatch) -> None:
    settings = tiny_settings(
        write_tiny(tmp_path / 'data', episodes=1), method='full', optimiser='muon',
        mixture=Mixture(1.0), augmentation='none', steps=4, batch=6, micro_batch=6, soft_bins=2.0,
        muon_learning_rate=0.01, validation_every=4, snapshot_every=4,
    )  # fmt: skip
    monkeypatch.setattr(run, 'LOG_EVERY', 1)

    run.finetune(settings, tmp_path / 'run', quiet)

    losses = [entry['loss'] for entry in read_log(tmp_path / 'run' / 'log.jsonl')]
    assert len(losses) == 4  # without episodes for validation nothing else is noted
    assert losses == sorted(losses, reverse=True)
    assert losses[3] < 0.7 * losses[0]
    with pytest.raises(ConfigurationError, match='other settings'):
        run.finetune(replace(settings, seed=1), tmp_path / 'run', quiet)


def test_training_asks_what_run_time_asks(tmp_path: Path) -> None:
    data = read_conversations(write_with_paths(tmp_path))
    tokenizer = load_tokenizer(NANO / 'tokenizer.json')
    encoder = ExampleEncoder(MAGMA_NANO, tokenizer, data.statistics)
    action, trace = (
        next(s for s in data.train if s.kind == kind and s.step == 2)
        for kind in ('action', 'trace')
    )
    state = format_state(action.state, MAGMA_NANO.state)

    assert list(encoder.encode(action).prompt) == tokenizer.encode(
        action_prompt(INSTRUCTION, state)
    )
    expected = trace_prompt(INSTRUCTION, [1], 6, state_line=state)
    assert list(encoder.encode(trace).prompt) == tokenizer.encode(expected)
    assert len(encoder.encode(action).answer) == 8
    assert tokenizer.decode(encoder.encode(trace).answer) == trace.answer


def test_a_sample_without_the_state_is_named(tmp_path: Path) -> None:
    def without_state(entries):
        del entries[0]['magma_ros']['state']
        return entries

    edit(write_tiny(tmp_path), 'conversations.json', without_state)
    data = read_conversations(tmp_path)
    encoder = ExampleEncoder(MAGMA_NANO, load_tokenizer(NANO / 'tokenizer.json'), data.statistics)

    with pytest.raises(ConfigurationError, match='pick_0/000000.*state'):
        encoder.encode(data.train[0])


def test_merged_adapters_answer_as_before() -> None:
    model = load_checkpoint(NANO)
    names = set(model.state_dict())
    settings = tiny_settings(Path('none'), train_vision_tower=False)
    choose_trained(model, settings)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    for name, parameter in model.named_parameters():
        if 'lora_B' in name:
            torch.nn.init.normal_(parameter, std=0.02)
    inputs = torch.randn(1, 5, 128)
    before = model.eval().hidden_states(inputs)

    merge_adapters(model)

    assert torch.allclose(model.hidden_states(inputs), before, atol=1e-4)
    assert set(model.state_dict()) == names
    assert trained == estimate_training_memory(MAGMA_NANO, settings).trained_parameters


def test_qlora_needs_a_gpu(tmp_path: Path) -> None:
    settings = tiny_settings(write_tiny(tmp_path / 'data'), method='qlora')

    with pytest.raises(ConfigurationError, match='CUDA'):
        load_base(NANO, settings, torch.device('cpu'))


def test_errors_are_in_real_units() -> None:
    wanted = np.zeros((2, 7))
    found = wanted + [0.001, 0.002, 0.003, np.pi / 180, np.pi / 180, np.pi / 180, 0.5]

    errors = action_errors(found, wanted)

    assert errors == pytest.approx({'l1_mm': 2.0, 'l1_deg': 1.0, 'l1_gripper': 0.5})
    right = 'Mark 1 at [0,0] should be moved ...:\n\n"Mark 1": "[[10,10],[20,10]]"\n\n'
    traces = trace_errors([right.replace('20,10', '20,14'), 'no'], [right, right])
    assert traces == pytest.approx({'trace_missing': 0.5, 'trace_error_px': 2.0})


@pytest.mark.parametrize('name', ['ddp', 'fsdp', 'deepspeed_zero3'])
def test_accelerate_reads_the_shipped_configurations(name: str) -> None:
    """Read only: none of them was ever run here, which takes GPUs."""
    found = load_config_from_file(str(config_path(f'finetune/accelerate/{name}.yaml')))

    assert found.num_processes == 8
    assert found.mixed_precision == 'bf16'
