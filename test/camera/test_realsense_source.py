"""The whole path of a RealSense camera, with librealsense's software device in its place."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from soft_camera import (
    BASELINE_M,
    COLOUR_FOCAL,
    DEPTH_FOCAL,
    HEIGHT,
    PERIOD_MS,
    START_MS,
    WIDTH,
    Clock,
    Sockets,
    SoftCamera,
    flat_scene,
    needs_realsense,
)

from magma_ros.camera.exposure_settling import MOST_PICTURES, SAME_FOR
from magma_ros.camera.frame_source import Condition, Frame
from magma_ros.camera.realsense_library import load_realsense
from magma_ros.camera.realsense_source import (
    FIRST_PICTURE_S,
    LONGEST_PAUSE_S,
    RESET_S,
    STALL_S,
    RealSenseSource,
)
from magma_ros.camera.realsense_stream import RealSenseSettings

pytestmark = needs_realsense
SETTINGS = RealSenseSettings(width_px=WIDTH, height_px=HEIGHT)
WALL_NS = 42_000_000_000
REPORTED_S, RECOVERED_S = 0.5, 2.0  # what the issue asks for
HELD_BY_THE_LIBRARY = 40  # more frames than librealsense lends at once
TICK_S = 0.1  # how long the node waits for a picture


class Bench:
    """A source, its camera, and the clock both live by."""

    def __init__(self, settings: RealSenseSettings = SETTINGS, **camera: object) -> None:
        self.camera = SoftCamera(load_realsense(), **camera)  # type: ignore[arg-type]
        self.sockets, self.clock = Sockets(self.camera), Clock()
        self.source = RealSenseSource(settings, self.clock, lambda: WALL_NS, self.sockets)
        self.source.open()

    @property
    def condition(self) -> Condition:
        return self.source.state.condition

    def show(self, rgb: np.ndarray, depth_mm: np.ndarray, **stamp: object) -> Frame | None:
        """Inject a picture and read it."""
        if self.source._stream is None:
            self.source.read(0.001)  # connects
        self.camera.inject(rgb, depth_mm, **stamp)  # type: ignore[arg-type]
        return self.source.read(2.0)

    def settle(self) -> Frame:
        """Show the same scene until it is given."""
        for index in range(MOST_PICTURES):
            frame = self.show(*flat_scene(index))
            if frame is not None:
                return frame
        raise AssertionError(f'no picture: {self.source.state}')

    def stay_silent(self, duration_s: float) -> None:
        """Read as the node does, while nothing comes."""
        end_s = self.clock.now_s + duration_s
        while self.clock.now_s < end_s:
            assert self.source.read(0.001) is None
            self.clock.now_s += TICK_S


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.source.close()


def test_pictures_carry_the_stamps_of_the_camera_and_its_lens(bench: Bench) -> None:
    frame = bench.settle()

    assert bench.condition is Condition.STREAMING
    assert bench.source.state.warnings == ()
    stamp_ms = START_MS + bench.camera.number * PERIOD_MS
    assert frame.image.stamp_ns == pytest.approx(stamp_ms * 1e6, abs=1e3)
    assert frame.image.rgb.shape == (HEIGHT, WIDTH, 3)
    assert (frame.camera.width_px, frame.camera.height_px) == (WIDTH, HEIGHT)
    assert frame.camera.focal_x_px == pytest.approx(COLOUR_FOCAL)
    assert frame.camera.centre_y_px == pytest.approx(HEIGHT / 2)


def test_pixels_stay_what_they_are_when_more_come(bench: Bench) -> None:
    first = bench.settle()
    before = first.image.rgb.copy()

    kept = [
        bench.show(np.full((HEIGHT, WIDTH, 3), 101, np.uint8), flat_scene()[1])
        for _ in range(HELD_BY_THE_LIBRARY)
    ]

    assert None not in kept
    np.testing.assert_array_equal(first.image.rgb, before)


def test_depth_is_aligned_to_the_picture(bench: Bench) -> None:
    """An edge in depth appears where the colour camera sees it: another lens, 15 mm beside."""
    bench.settle()
    rgb, depth_mm = flat_scene()
    edge_px = 40
    depth_mm[:, :edge_px], depth_mm[:, edge_px:] = 1000, 500

    frame = bench.show(rgb, depth_mm)

    assert frame is not None
    assert frame.depth is not None
    assert frame.depth.depth_m.dtype == np.float32
    row = frame.depth.depth_m[HEIGHT // 2]
    in_depth_m = (edge_px - WIDTH / 2) / DEPTH_FOCAL * 0.5  # of the near half's edge
    expected_px = WIDTH / 2 + COLOUR_FOCAL * (in_depth_m + BASELINE_M) / 0.5
    near = np.flatnonzero(np.isclose(row, 0.5, atol=0.001))
    assert near[0] == pytest.approx(expected_px, abs=1.0)
    assert row[int(expected_px) - 6] == pytest.approx(1.0, abs=0.001)


def test_changing_exposure_is_waited_for() -> None:
    bench = Bench()
    _, depth_mm = flat_scene()
    for brightness in (10, 40, 70, 90, 98):
        rgb = np.full((HEIGHT, WIDTH, 3), brightness, np.uint8)
        assert bench.show(rgb, depth_mm) is None
        assert bench.condition is Condition.SETTLING

    steady = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
    given = [bench.show(steady, depth_mm) is not None for _ in range(SAME_FOR)]

    assert given == [False] * 3 + [True] * 2  # 98 counts as the same
    bench.source.close()


def test_global_time_is_switched_on(bench: Bench) -> None:
    option = load_realsense().option.global_time_enabled
    assert bench.camera.colour.get_option(option) == 0.0

    bench.settle()

    assert bench.camera.colour.get_option(option) == 1.0


def test_a_camera_without_the_hosts_time_is_stamped_on_arrival(bench: Bench) -> None:
    for _ in range(SAME_FOR):
        frame = bench.show(*flat_scene(), stamp_ms=7.0, domain='hardware_clock')

    assert frame is not None
    assert frame.image.stamp_ns == WALL_NS
    assert 'firmware' in ' '.join(bench.source.state.warnings)


def test_slow_usb_and_a_distorting_lens_are_warned_of() -> None:
    bench = Bench(usb='2.1', distortion=0.2)
    bench.settle()

    usb, lens = bench.source.state.warnings

    assert 'USB 2.1' in usb
    assert '0.2' in lens
    bench.source.close()


def test_an_unplugged_camera_is_reported_in_time_and_recovers_in_time(bench: Bench) -> None:
    bench.settle()
    bench.sockets.is_plugged_in = False

    bench.stay_silent(REPORTED_S - TICK_S)

    assert bench.condition is Condition.UNPLUGGED
    assert 'plug it into' in bench.source.state.text
    bench.stay_silent(5.0)  # the pauses grow
    searches = bench.sockets.searches
    while bench.sockets.searches == searches:
        bench.stay_silent(TICK_S)
    bench.sockets.is_plugged_in = True  # just missed
    back_s = bench.clock.now_s
    while bench.source._stream is None:
        bench.source.read(0.001)
        bench.clock.now_s += 0.01
    bench.settle()
    settling_s = SAME_FOR * PERIOD_MS * 1e-3
    assert bench.clock.now_s - back_s + settling_s < RECOVERED_S
    assert bench.clock.now_s - back_s <= LONGEST_PAUSE_S + 0.02
    assert bench.condition is Condition.STREAMING


def test_a_silent_camera_is_reset_once_and_taken_up_again(bench: Bench) -> None:
    bench.settle()

    bench.stay_silent(STALL_S + TICK_S)
    assert bench.condition is Condition.STALLED
    assert bench.sockets.resets == 0

    bench.stay_silent(RESET_S)
    assert bench.condition is Condition.RESETTING
    bench.stay_silent(3.0)
    assert bench.sockets.resets == 1
    assert bench.condition is Condition.RESETTING

    bench.sockets.is_plugged_in = True
    bench.stay_silent(LONGEST_PAUSE_S)
    bench.settle()
    assert bench.condition is Condition.STREAMING


def test_a_camera_that_never_starts_is_reset_later(bench: Bench) -> None:
    bench.stay_silent(FIRST_PICTURE_S)
    assert bench.sockets.resets == 0

    bench.stay_silent(RESET_S + TICK_S)

    assert bench.sockets.resets == 1


def test_a_camera_that_never_comes_back_from_its_reset_is_missing(bench: Bench) -> None:
    bench.settle()

    bench.stay_silent(15.0)

    assert bench.sockets.resets == 1
    assert bench.condition is Condition.UNPLUGGED


def test_stamps_that_go_back_start_it_anew(bench: Bench) -> None:
    bench.settle()

    assert bench.show(*flat_scene(), stamp_ms=START_MS - 9000.0) is None

    assert 'went back' in bench.source.state.text
    bench.clock.now_s += 1.0
    bench.source.read(0.001)
    bench.settle()
    assert bench.condition is Condition.STREAMING


def test_another_serial_number_is_another_camera() -> None:
    bench = Bench(RealSenseSettings(serial='999', width_px=WIDTH, height_px=HEIGHT))

    assert bench.source.read(0.001) is None

    assert bench.condition is Condition.UNPLUGGED
    assert '999' in bench.source.state.text


def test_a_size_that_is_not_offered_is_refused_with_those_that_are() -> None:
    bench = Bench(RealSenseSettings(width_px=1280, height_px=720))

    assert bench.source.read(0.001) is None

    assert bench.condition is Condition.REFUSED
    assert f'{WIDTH} x {HEIGHT} at 30 Hz' in bench.source.state.text
