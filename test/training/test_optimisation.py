from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip('torch')

from magma_ros.training.optimisation import Optimisation  # noqa: E402

pytestmark = pytest.mark.torch
STEPS = 200


def make_model(seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.LayerNorm(8), torch.nn.Linear(8, 8), torch.nn.Linear(8, 1)
    )


def train(model: torch.nn.Module, optimisation: Optimisation, steps: range) -> float:
    for step in steps:
        generator = torch.Generator().manual_seed(step)
        x = torch.randn(32, 4, generator=generator)
        loss = (model(x).squeeze(1) - x[:, 0] * 2 + x[:, 1]).square().mean()
        optimisation.step(loss, step)
    return loss.item()


def test_training_learns() -> None:
    model = make_model()
    optimisation = Optimisation(model, STEPS)

    first = train(model, optimisation, range(1))
    last = train(model, optimisation, range(1, STEPS))

    assert last < 0.1 * first


def test_a_resumed_run_takes_the_very_same_next_step(tmp_path: Path) -> None:
    snapshot = tmp_path / 'snapshot.safetensors'
    model = make_model()
    optimisation = Optimisation(model, STEPS)
    train(model, optimisation, range(20))
    optimisation.save(snapshot, 20)
    train(model, optimisation, range(20, 25))

    other = make_model(seed=1)
    resumed = Optimisation(other, STEPS)
    done = resumed.resume(snapshot)
    train(other, resumed, range(done, 25))

    assert done == 20
    for (name, expected), tensor in zip(
        model.state_dict().items(), other.state_dict().values(), strict=True
    ):
        assert torch.equal(expected, tensor), name


def test_the_optimisers_memory_is_part_of_a_snapshot(tmp_path: Path) -> None:
    snapshot = tmp_path / 'snapshot.safetensors'
    model = make_model()
    optimisation = Optimisation(model, STEPS)
    train(model, optimisation, range(20))
    optimisation.save(snapshot, 20)
    forgetful = make_model()
    forgetful.load_state_dict(model.state_dict())
    train(model, optimisation, range(20, 21))
    train(forgetful, Optimisation(forgetful, STEPS), range(20, 21))

    assert not torch.equal(model[0].weight, forgetful[0].weight)


def test_without_a_snapshot_nothing_is_done(tmp_path: Path) -> None:
    model = make_model()

    assert Optimisation(model, STEPS).resume(tmp_path / 'none.safetensors') == 0


def test_an_interrupted_save_leaves_the_last_snapshot(tmp_path: Path, monkeypatch) -> None:
    snapshot = tmp_path / 'snapshot.safetensors'
    optimisation = Optimisation(make_model(), STEPS)
    optimisation.save(snapshot, 10)
    before = snapshot.read_bytes()

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, 'replace', fail)
    with pytest.raises(KeyboardInterrupt):
        optimisation.save(snapshot, 20)

    assert snapshot.read_bytes() == before


def test_the_rate_warms_up_and_falls_to_its_floor() -> None:
    optimisation = Optimisation(make_model(), STEPS, warm_up=60, floor=0.03)
    rates = [optimisation.rate(step) for step in range(STEPS + 50)]

    assert rates[0] == pytest.approx(1 / 60)
    assert max(rates) == rates[59] == 1.0
    assert all(later <= earlier for earlier, later in zip(rates[60:], rates[61:], strict=False))
    assert rates[STEPS] == rates[-1] == pytest.approx(0.03)


def test_every_parameter_has_exactly_one_optimiser() -> None:
    model = make_model()
    optimisation = Optimisation(model, STEPS)

    seen = [
        id(parameter)
        for optimiser, _ in optimisation._optimisers
        for group in optimiser.param_groups
        for parameter in group['params']
    ]
    assert sorted(seen) == sorted(id(parameter) for parameter in model.parameters())
