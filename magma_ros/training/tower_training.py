"""First stage: teach the vision tower where things are (torch).

A dense head says for each cell which thing is there. The head is dropped afterwards; the tower is
frozen and its maps are cached. Without this stage a small language model never learns to bind
words to places in the time a laptop has.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from rich.progress import Progress
from torch import Tensor, nn

from magma_ros.model.network.magma_config import MAGMA_NANO
from magma_ros.model.network.vision_tower import VisionTower
from magma_ros.training.frames import PRESENCE, Demonstrations
from magma_ros.training.optimisation import Optimisation, load_snapshot

THINGS = len(PRESENCE) + 1  # and the tool
YAWED = 3  # cubes, the first columns of PRESENCE
CELLS = 8


class TowerWithHead(nn.Module):
    """The tower and a linear head: score and offset per cell and thing, yaw per cell and cube."""

    def __init__(self) -> None:
        super().__init__()
        channels = MAGMA_NANO.vision.channels[-1]
        self.tower = VisionTower(MAGMA_NANO.vision)
        self.head = nn.Sequential(
            nn.LayerNorm(channels), nn.Linear(channels, 3 * THINGS + 2 * YAWED)
        )

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 3, 256, 256) -> scores (B, 64, things), offsets (.., 2), yaws (B, 64, cubes, 2)."""
        out = self.head(self.tower(pixels)).flatten(1, 2)
        scores, offsets, yaws = out.split([THINGS, 2 * THINGS, 2 * YAWED], dim=-1)
        return scores, offsets.unflatten(-1, (THINGS, 2)), yaws.unflatten(-1, (YAWED, 2))


def place_loss(scores: Tensor, offsets: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy over the cells + 2 x L1 of the offset in the true cell, of what is present.

    Args:
        scores: (B, 64, n).
        offsets: (B, 64, n, 2) in cells, 0..1.
        places: (B, n, 2) in 0..1, NaN where absent.

    Returns:
        loss, and the true cell of each thing (B, n), -1 where absent.
    """
    present = ~torch.isnan(places).any(dim=-1)
    grid = torch.nan_to_num(places) * CELLS
    cell = grid.floor().clamp(0, CELLS - 1)
    index = (cell[..., 1] * CELLS + cell[..., 0]).long()
    cross = nn.functional.cross_entropy(scores, index, reduction='none')
    chosen = offsets.gather(1, index[:, None, :, None].expand(-1, 1, -1, 2)).squeeze(1)
    offset = (chosen - (grid - cell)).abs().sum(dim=-1)
    loss = ((cross + 2 * offset) * present).sum() / present.sum().clamp(min=1)
    return loss, torch.where(present, index, -1)


def yaw_loss(yaws: Tensor, cells: Tensor, yaws_rad: Tensor) -> Tensor:
    """L1 between (cos, sin) of four times the yaw in the true cell.

    Four times, because a cube looks the same every 90 degrees.
    """
    cells = cells[:, :YAWED]
    present = cells >= 0
    chosen = yaws.gather(1, cells.clamp(min=0)[:, None, :, None].expand(-1, 1, -1, 2)).squeeze(1)
    goal = torch.stack([torch.cos(4 * yaws_rad), torch.sin(4 * yaws_rad)], dim=-1)
    return ((chosen - goal).abs().sum(dim=-1) * present).sum() / present.sum().clamp(min=1)


def normalise(images: np.ndarray, random: np.random.Generator | None) -> Tensor:
    """(B, 256, 256, 3) uint8 -> (B, 3, 256, 256) as the tower wants it.

    With ``random``, light and colour vary.
    """
    pixels = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float()
    if random is not None:
        contrast = torch.tensor(
            random.uniform(0.9, 1.1, (len(images), 1, 1, 1)), dtype=torch.float32
        )
        offset = random.uniform(-12, 12, (len(images), 1, 1, 1)) + random.uniform(
            -12, 12, (len(images), 3, 1, 1)
        )
        pixels = (pixels * contrast + torch.tensor(offset, dtype=torch.float32)).clamp(0, 255)
    mean = torch.tensor(MAGMA_NANO.preprocessor.mean).view(1, 3, 1, 1)
    std = torch.tensor(MAGMA_NANO.preprocessor.std).view(1, 3, 1, 1)
    return (pixels / 255 - mean) / std


def train_tower(
    data: Demonstrations, folder: Path, steps: int, batch: int = 32, seed: int = 0
) -> VisionTower:
    """Train, with a snapshot every 100 steps in ``folder``; a second call goes on from there."""
    torch.manual_seed(seed)
    model = TowerWithHead()
    optimisation = Optimisation(model, steps, adam_rate=2e-3)
    snapshot = folder / 'tower.safetensors'
    done = optimisation.resume(snapshot)
    curve = folder / 'tower_curve.csv'
    if done == 0:
        curve.write_text('step,loss,median_error_px_of_256,yaw_loss\n')
    with Progress() as progress:
        bar = progress.add_task('vision tower', total=steps, completed=done)
        for step in range(done, steps):
            random = np.random.default_rng((seed, step))
            rows = np.sort(random.choice(len(data.states), batch, replace=False))
            pixels = normalise(data.images[rows], random)
            places, yaws = torch.from_numpy(data.places[rows]), torch.from_numpy(data.yaws[rows])
            with torch.autocast('cpu', torch.bfloat16):
                scores, offsets, turned = model(pixels)
            loss, cells = place_loss(scores.float(), offsets.float(), places)
            turn = yaw_loss(turned.float(), cells, yaws)
            optimisation.step(loss + 0.3 * turn, step)
            progress.advance(bar)
            if step % 100 == 99 or step == steps - 1:
                error = median_error_px(scores.detach().float(), offsets.detach().float(), places)
                with curve.open('a') as file:
                    file.write(f'{step + 1},{loss.item():.4f},{error:.2f},{turn.item():.4f}\n')
                optimisation.save(snapshot, step + 1)
    return model.tower


def load_tower(tower: VisionTower, folder: Path) -> None:
    """The weights that :func:`train_tower` left in ``folder``."""
    model = TowerWithHead()
    load_snapshot(model, folder / 'tower.safetensors')
    tower.load_state_dict(model.tower.state_dict())


def median_error_px(scores: Tensor, offsets: Tensor, places: Tensor) -> float:
    """Median distance between seen and true places, in pixels of the 256 px picture."""
    best = scores.argmax(dim=1)
    chosen = offsets.gather(1, best[:, None, :, None].expand(-1, 1, -1, 2)).squeeze(1)
    found = (torch.stack([best % CELLS, best // CELLS], dim=-1) + chosen) / CELLS
    error = (found - places).norm(dim=-1) * 256
    return float(error[~torch.isnan(error)].median())
