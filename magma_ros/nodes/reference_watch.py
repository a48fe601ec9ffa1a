"""The thread that compares the view with the reference picture, every few seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from magma_ros.data_types import CameraImage, Observation
from magma_ros.errors import CameraError
from magma_ros.image.colour_order import ColourOrder
from magma_ros.image.image_checks import Effect, Finding
from magma_ros.image.picture_file import read_picture
from magma_ros.image.view_drift import ReferenceView
from magma_ros.resources import asset_path

NANO = 'nano'  # the reference picture that is shipped


class Reference:
    """A picture of the camera as it was in training.

    Args:
        name: a picture file, or NANO.

    Raises:
        CameraError: there is no such picture, or nothing in it to compare with.
    """

    def __init__(self, name: str) -> None:
        shipped = asset_path('reference_views') / f'{NANO}.png'
        rgb = read_picture(shipped if name == NANO else Path(name))
        self.view, self.colours = ReferenceView(rgb), ColourOrder(rgb)


class ReferenceWatch:
    """Warns; never in the way of an action.

    Args:
        reference: to compare with.
        period_s: between two comparisons.
        newest: the last observation that passed its checks.
        show: given a ghost of the reference over the picture after each comparison.
    """

    def __init__(
        self,
        reference: Reference,
        period_s: float,
        newest: Callable[[], Observation | None],
        show: Callable[[CameraImage], None],
    ) -> None:
        self._view, self._colours = reference.view, reference.colours
        self._period_s, self._newest, self._show = period_s, newest, show
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name='reference', daemon=True)
        self.findings: tuple[Finding, ...] = ()
        self.values: dict[str, str] = {}  # of the last comparison, for the diagnostics

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the comparison under way, then no more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def compare(self, seen: Observation) -> None:
        """Set ``findings`` and ``values`` by a picture."""
        image = seen.image
        try:
            drift = self._view.compare(image.rgb, seen.camera.focal_x_px)
        except CameraError as error:
            self.findings = (Finding('CAMERA_MOVED', str(error), Effect.WARN),)
            self.values = {}
            return
        found = (drift.find_fault(), self._colours.find_fault(image.rgb))
        self.findings = tuple(finding for finding in found if finding is not None)
        self.values = {
            f'view_{name}': f'{value:.2f}'
            for name in ('shift_px', 'turn_deg', 'roll_deg', 'scale')
            if (value := getattr(drift, name)) is not None
        }
        self._show(CameraImage(self._view.draw_ghost(image.rgb), image.stamp_ns, image.frame_id))

    def _run(self) -> None:
        while not self._stopped.wait(self._period_s):
            seen = self._newest()
            if seen is not None:
                self.compare(seen)
