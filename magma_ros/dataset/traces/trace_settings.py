"""What decides which tracks become marks. Lengths are cells of Magma's 256 x 256 grid.

Sources: Magma ``data/openx_magma/data_utils.py`` (robot), ``data/conversations.py`` (people),
``data/utils/visual_trace.py``; the surface and neighbour checks are ours (docs/traces.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from magma_ros.errors import ConfigurationError

CameraMotion = Literal['auto', 'still', 'moving']


@dataclass(frozen=True)
class TraceSettings:
    """One named configuration; a step is from one frame to the next.

    Attributes:
        horizon: frames of a window, the start frame counts: at most horizon - 1 future points.
        visible_share: tracks seen in no more than this share of the window are dropped.
        camera: whether the camera moves; ``auto`` asks the tracks.
        camera_step: ``auto``: it moves when camera_share of the tracks are faster than this.
        camera_share: see there.
        homography_cells: RANSAC's tolerance.
        foreground_step: tracks faster than this on average are foreground.
        foreground_clusters: fewest and most.
        background_clusters: fewest and most.
        slowest: marks whose kept points are closer than this on average have no trace.
        spacing: a future point nearer than this to the last kept one is left out.
        mark_spacing: marks closer than this would hide each other's number.
        contrast: levels (of 255) by which what moves differs from what it covers.
        contrast_share: of the steps at which it must.
        inset: a mark is at least this far inside of what moves.
        neighbours: moving tracks around one that must move alike.
        neighbour_cells: how far from where they say it may be, a step.
    """

    horizon: int = 16
    visible_share: float = 0.5
    camera: CameraMotion = 'auto'
    camera_step: float = 1.0
    camera_share: float = 0.8
    homography_cells: float = 4.0
    foreground_step: float = 1.0
    foreground_clusters: tuple[int, int] = (2, 4)
    background_clusters: tuple[int, int] = (4, 9)
    slowest: float = 1.0
    spacing: float = 2.0
    mark_spacing: float = 14.0
    contrast: float = 8.0
    contrast_share: float = 0.5
    inset: float = 1.2
    neighbours: int = 5
    neighbour_cells: float = 0.3

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.horizon < 2:
            raise ConfigurationError(f'a horizon of {self.horizon} frames has no future: give 2')
        for name in ('foreground_clusters', 'background_clusters'):
            fewest, most = getattr(self, name)
            if not 1 <= fewest <= most:
                raise ConfigurationError(f'{name} {fewest} to {most}: at least 1, in this order')


ROBOT = TraceSettings()
PERSON = TraceSettings(
    foreground_step=3.0, foreground_clusters=(2, 5), background_clusters=(6, 14), slowest=2.0
)
