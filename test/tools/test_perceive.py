from __future__ import annotations

import csv
import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from magma_ros.camera.frame_source import STREAMING, Condition, Frame, SourceState
from magma_ros.camera.lens import assume_lens
from magma_ros.camera.picture_folder import PictureFolder
from magma_ros.data_types import CameraImage, PixelTrace
from magma_ros.errors import CameraError
from magma_ros.image.picture_file import write_picture
from magma_ros.model.action_scaling import load_statistics
from magma_ros.model.backends.acting_model import ActingModel
from magma_ros.model.backends.scripted_model import ScriptedModel
from magma_ros.resources import asset_path
from magma_ros.tools import perceive
from magma_ros.tools.magma import main
from magma_ros.tools.perceive_files import TABLE, VIDEO

EXAMPLE = asset_path('pictures/cubes_and_bowl.jpg')


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two pictures of a table, and one with the lens covered between them."""
    folder = tmp_path / 'pictures'
    folder.mkdir()
    for name in ('1.jpg', '3.jpg'):
        (folder / name).write_bytes(EXAMPLE.read_bytes())
    rgb = cv2.imread(str(EXAMPLE))
    write_picture(np.zeros_like(rgb), folder / '2.jpg')
    return folder


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> ActingModel:
    """A model that always says the same, in the place of magma-nano."""
    trace = PixelTrace(1, np.array([300.0, 200.0]), np.array([[320.0, 220.0], [350.0, 240.0]]))
    action = np.array([0.5, 0.0, -0.5, 0.0, 0.0, 0.0, 1.0])
    acting = ActingModel(ScriptedModel(action, [trace]), load_statistics('magma_nano_sim'))
    monkeypatch.setattr(perceive, 'load_acting_model', lambda *_: acting)
    return acting


def ask(source: object, out: Path, *more: str) -> int:
    given = ['--source', str(source), '--instruction', 'pick up the red cube', '--out', str(out)]
    return main(['perceive', *given, *more])


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / TABLE).open(newline='') as stream:
        return list(csv.DictReader(stream))


def test_a_folder_becomes_a_film_and_a_table(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """With magma-nano itself."""
    out = tmp_path / 'out'

    assert ask(pictures, out, '--trace-every', '2') == 0

    rows = rows_of(out)
    assert [row['stamp_ns'] for row in rows] == ['0', '200000000', '400000000']
    assert [row['fault'] for row in rows] == ['', 'CAMERA_DARK', '']
    assert rows[1]['x_m'] == ''
    assert all(abs(float(rows[0][name])) < 0.1 for name in ('x_m', 'y_m', 'z_m'))
    assert len(rows[0]['ids'].split()) == 7
    assert float(rows[0]['latency_ms']) > 0
    assert rows[0]['ids'] == rows[2]['ids']  # the same picture
    capture = cv2.VideoCapture(str(out / VIDEO))
    frames = [bgr for was_read, bgr in (capture.read() for _ in range(4)) if was_read]
    assert len(frames) == 3
    original = cv2.imread(str(EXAMPLE)).astype(int)
    drawn = np.abs(frames[0].astype(int) - original).max(axis=2) > 60
    assert drawn[: original.shape[0] * 3 // 4].any()  # the trace, above the caption
    printed = capsys.readouterr().out
    assert 'assumed to be at --state 0.25' in printed
    assert '2 pictures answered; 1 not used: CAMERA_DARK' in printed


@pytest.mark.usefixtures('scripted')
def test_pictures_are_taken_at_the_rate_that_was_asked_for(tmp_path: Path) -> None:
    source = tmp_path / 'film.avi'
    writer = cv2.VideoWriter(str(source), cv2.VideoWriter.fourcc(*'MJPG'), 20.0, (640, 480))
    for _ in range(20):
        writer.write(cv2.imread(str(EXAMPLE)))
    writer.release()

    assert ask(source, tmp_path / 'all', '--rate', '5') == 0
    assert ask(source, tmp_path / 'some', '--rate', '20', '--seconds', '0.3') == 0

    seconds = [int(row['stamp_ns']) * 1e-9 for row in rows_of(tmp_path / 'all')]
    assert np.diff(seconds) == pytest.approx(0.2, abs=0.01)
    assert len(seconds) == 5
    assert len(rows_of(tmp_path / 'some')) == 6
    assert float(rows_of(tmp_path / 'all')[0]['x_m']) > 0.0


@pytest.mark.usefixtures('scripted')
def test_the_simulated_table_is_a_source(tmp_path: Path) -> None:
    assert ask('sim', tmp_path / 'out', '--seconds', '0.5') == 0

    assert len(rows_of(tmp_path / 'out')) == 3


@pytest.mark.usefixtures('scripted')
def test_dark_pictures_alone_are_no_success(tmp_path: Path) -> None:
    folder = tmp_path / 'dark'
    folder.mkdir()
    write_picture(np.zeros((48, 64, 3), np.uint8), folder / '1.png')

    assert ask(folder, tmp_path / 'out') == 1


@pytest.mark.usefixtures('scripted')
@pytest.mark.parametrize(
    ('more', 'complaint'),
    [
        (['--rate', '0'], '--rate must be above 0'),
        (['--source', 'absent'], 'there is no source'),
        (['--lens', 'absent.yaml'], 'absent.yaml does not exist'),
    ],
)
def test_what_is_wrong_is_named(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture, more: list[str], complaint: str
) -> None:
    assert ask(pictures, tmp_path / 'out', *more) == 2

    assert complaint in capsys.readouterr().err


@pytest.mark.usefixtures('scripted')
def test_a_folder_that_cannot_be_written_is_named(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / 'out').write_text('a file')

    assert ask(pictures, tmp_path / 'out') == 2

    assert 'choose another --out' in capsys.readouterr().err


@pytest.mark.usefixtures('scripted')
def test_interrupted_it_keeps_what_was_seen(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_read = PictureFolder.read

    def read(source: PictureFolder, timeout_s: float) -> Frame | None:
        if source._next == 1:
            raise KeyboardInterrupt
        return real_read(source, timeout_s)

    monkeypatch.setattr(PictureFolder, 'read', read)

    assert ask(pictures, tmp_path / 'out') == 0

    assert len(rows_of(tmp_path / 'out')) == 1
    assert (tmp_path / 'out' / VIDEO).stat().st_size > 1000


class AbsentCamera:
    """Nothing is plugged in."""

    state = SourceState(Condition.UNPLUGGED, 'plug it in')

    def read(self, timeout_s: float) -> Frame | None:
        return None


class LateCamera(AbsentCamera):
    """Comes after a while, and is endless then."""

    def __init__(self) -> None:
        self._count = itertools.count()

    def read(self, timeout_s: float) -> Frame | None:
        index = next(self._count)
        if index < 5:
            return None
        self.state = STREAMING
        rgb = np.zeros((48, 64, 3), np.uint8)
        image = CameraImage(rgb, index * 100_000_000, 'optical')
        return Frame(image, None, assume_lens(64, 48).camera_model())


def test_a_camera_that_stays_away_is_an_error_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = itertools.count(0.0, 0.5)
    monkeypatch.setattr(perceive.time, 'monotonic', lambda: next(clock))

    with pytest.raises(CameraError, match='unplugged: plug it in'):
        list(perceive._frames(AbsentCamera(), None))
    assert len(list(perceive._frames(LateCamera(), 1.0))) == 10
