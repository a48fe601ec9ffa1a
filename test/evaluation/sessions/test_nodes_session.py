"""Two conditions through real processes, recorded, and nothing that gives them away."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from session_kit import write_table

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')

from magma_ros.evaluation.sessions.new_session import create_session  # noqa: E402
from magma_ros.evaluation.sessions.nodes_runner import NodesTrialRunner  # noqa: E402
from magma_ros.evaluation.sessions.session_run import run_session  # noqa: E402

NAMES = ('nano_drawing', 'pretended_person')


def through_nodes(table: dict) -> None:
    table.update(
        through='nodes',
        layouts={'first_seed': 500_000, 'count': 2},
        record={'bag': True},
        conditions={
            NAMES[0]: {'kind': 'policy', 'mode': 'path'},
            NAMES[1]: {'kind': 'simulated_operator', 'noise_m': 0.001},
        },
    )


@pytest.mark.ros
def test_policy_and_person_move_the_arm_and_cannot_be_told_apart(
    tmp_path: Path, domain_id: int
) -> None:
    folder = create_session(write_table(tmp_path / 'file.yaml', through_nodes), tmp_path / 'out')

    is_complete = run_session(folder, partial(NodesTrialRunner, domain_id=domain_id), 2)

    assert not is_complete  # the other layout is still to come
    records = folder.records()
    assert [one.invalid for one in records] == ['', '']
    assert {one.code for one in records} == {'A', 'B'}
    for record in records:
        assert (folder.path / record.bag / 'episode.json').is_file()
        with np.load(folder.path / record.motion, allow_pickle=False) as motion:
            away_m = motion['position_m'] - motion['position_m'][-1]
        assert np.linalg.norm(away_m, axis=1).max() > 0.03, record
        assert (folder.path / record.thumbnail).is_file()
    key = folder.open_key()
    words = [*NAMES, *(one.model_name for one in key.conditions.values() if one.model_name)]
    words += [one.model_sha256 for one in key.conditions.values() if one.model_sha256]
    assert len(words) == 4
    seen = 0
    for path in folder.path.rglob('*'):
        if path.is_file() and not path.is_relative_to(folder.path / 'sealed'):
            content, seen = path.read_bytes().lower(), seen + 1
            assert not [word for word in words if word.lower().encode() in content], path
    assert seen > 15  # bags, logs of nodes, records, motion, pictures
