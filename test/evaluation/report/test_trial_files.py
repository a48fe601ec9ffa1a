from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from session_records import BLANK, save_bag, save_motion, save_picture

from magma_ros.evaluation.report.trial_files import TrialFiles, read_trial_files
from magma_ros.evaluation.sessions.trial_record import TrialRecord


def read(folder: Path, record: TrialRecord) -> TrialFiles:
    return read_trial_files(folder, (record,))[record]


def test_everything_there(tmp_path: Path) -> None:
    save_motion(tmp_path / 'motion.npz')
    save_picture(tmp_path / 'end.jpg')
    save_bag(tmp_path / 'bag')

    files = read(tmp_path, replace(BLANK, motion='motion.npz', thumbnail='end.jpg', bag='bag'))

    assert files.complaints == ()
    assert files.motion is not None
    assert files.motion.figures is not None
    assert files.motion.figures.path_length_m == pytest.approx(0.3, abs=2e-3)
    assert files.thumbnail_jpeg is not None
    assert files.thumbnail_jpeg.startswith(b'\xff\xd8')


@pytest.mark.parametrize('share', [0.3, 0.7, 0.98])
def test_a_truncated_bag_is_named(tmp_path: Path, share: float) -> None:
    file = save_bag(tmp_path / 'bag')
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])

    (complaint,) = read(tmp_path, replace(BLANK, bag='bag')).complaints

    assert complaint.startswith('bag: bag_0.mcap was cut off')
    assert 'magma bags repair' in complaint


@pytest.mark.parametrize(
    ('change', 'complaint'),
    [
        ({'motion': 'gone.npz'}, 'motion: gone.npz is not there'),
        ({'motion': 'text'}, 'motion: text cannot be read'),
        ({'motion': '../outside.npz'}, 'outside of the folder'),
        ({'motion': 'flat.npz'}, r'position_m \(4,\)'),
        ({'motion': 'still.npz'}, 'did not move'),
        ({'motion': 'objects.npz'}, 'objects.npz cannot be read'),
        ({'thumbnail': 'text'}, 'picture: text is no picture'),
        ({'thumbnail': 'gone.jpg'}, 'picture: gone.jpg is not there'),
        ({'bag': 'gone'}, 'bag: gone is not there'),
        ({'bag': 'text'}, 'bag: text, byte 0'),
        ({'bag': 'empty'}, 'bag: empty has 0 MCAP files'),
    ],
)
def test_what_cannot_be_used_is_named(
    tmp_path: Path, change: dict[str, str], complaint: str
) -> None:
    (tmp_path / 'text').write_text('no such file')
    (tmp_path / 'empty').mkdir()
    np.savez(tmp_path / 'flat.npz', t_s=np.arange(4.0), position_m=np.zeros(4))
    np.savez(tmp_path / 'still.npz', t_s=np.arange(99.0), position_m=np.zeros((99, 3)))
    np.savez(tmp_path / 'objects.npz', t_s=np.array([{}]), position_m=np.array([{}]))

    files = read(tmp_path, replace(BLANK, **change))  # type: ignore[arg-type]

    assert len(files.complaints) == 1
    assert re.search(complaint, files.complaints[0])
    assert str(tmp_path) not in files.complaints[0]


def test_a_failure_may_stand_still(tmp_path: Path) -> None:
    np.savez(tmp_path / 'still.npz', t_s=np.arange(99.0), position_m=np.zeros((99, 3)))

    files = read(tmp_path, replace(BLANK, motion='still.npz', success=False))

    assert files.complaints == ()
    assert files.motion is not None
    assert files.motion.figures is None
