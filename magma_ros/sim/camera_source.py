"""The simulated table as a source of pictures, for whoever has no camera at hand."""

from __future__ import annotations

from magma_ros.camera.frame_source import (
    CLOSED,
    STREAMING,
    Frame,
    SourceState,
    require_open,
)
from magma_ros.sim.camera import SimCamera
from magma_ros.sim.scene import Scene
from magma_ros.sim.world import World


class SimCameraSource:
    """See ``CameraSource``. Nothing moves the arm; stamps are the time of the simulation.

    Args:
        world: is reset when the source is opened.
        scene: what stands on the table.
        rate_hz: of the pictures.
    """

    def __init__(self, world: World, scene: Scene, rate_hz: float = 5.0) -> None:
        self._world, self._scene, self._period_s = world, scene, 1.0 / rate_hz
        self._camera: SimCamera | None = None
        self.state: SourceState = CLOSED

    def open(self) -> None:
        """Lay the table.

        Raises:
            EnvironmentMissing: no off-screen OpenGL on this machine.
        """
        self.close()
        self._world.reset(self._scene)
        self._camera = SimCamera(self._world)
        self._camera.place(self._scene)
        self.state = STREAMING

    def read(self, timeout_s: float) -> Frame | None:
        """The next picture and its depth, one period of simulated time later."""
        require_open(self.state)
        assert self._camera is not None
        self._world.step(self._period_s)
        stamp_ns = round(self._world.time_s * 1e9)
        image, depth = self._camera.render(stamp_ns), self._camera.render_depth(stamp_ns)
        return Frame(image, depth, self._camera.model())

    def close(self) -> None:
        """Free the OpenGL context."""
        if self._camera is not None:
            self._camera.close()
        self._camera = None
        self.state = CLOSED
