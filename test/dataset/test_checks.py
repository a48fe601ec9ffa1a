"""Each thing that can be wrong with a recording is found, and nothing where nothing is wrong."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from robot_bag import (
    CAMERA,
    CHUNK,
    INSTRUCTION,
    JOINTS,
    START_NS,
    chunk_message,
    commands,
    image_message,
    picture,
    robot_arrivals,
    string_message,
    tip_path,
    write_robot_bag,
)

from magma_ros.dataset.checks.finding import Finding, grade
from magma_ros.dataset.checks.motion_agreement import best_axes, check_agreement
from magma_ros.dataset.checks.report_page import report_page
from magma_ros.dataset.checks.view_check import compare_views
from magma_ros.dataset.export.conversion_rules import ConversionRules
from magma_ros.dataset.export.episode_conversion import EpisodeJob, check_episode
from magma_ros.dataset.features.mapping import load_mapping
from magma_ros.dataset.features.sampling import SamplingRules
from magma_ros.dataset.reading.bag_folder import open_folder
from magma_ros.dataset.reading.segments import Segment
from magma_ros.dataset.recorded_topic import Arrival

MAPPING = load_mapping('wx250s')
RULES = ConversionRules('check', 'magma', MAPPING, SamplingRules(size_px=32))
LENGTH_S = 4.0


GOOD = robot_arrivals(LENGTH_S)


def check(arrivals: list[Arrival], folder: Path, **rules: Any) -> dict[str, Any]:
    bag = open_folder(write_robot_bag(folder / 'bag', arrivals))
    return check_episode(EpisodeJob(bag, Segment(0), replace(RULES, **rules), 'bag'))


def texts(about: dict[str, Any]) -> str:
    return '\n'.join(
        f'{one["severity"]} {one["check"]}: {one["text"]}' for one in about['findings']
    )


def test_nothing_is_wrong_with_a_good_episode(tmp_path: Path) -> None:
    about = check(GOOD, tmp_path)

    assert texts(about) == ''
    assert about['grade'] == 'A'
    assert about['excluded'] == ''


def changed(topic: str, change: Callable[[int, Arrival], Arrival | None]) -> list[Arrival]:
    numbers = itertools.count()
    kept = [change(next(numbers), one) if one.topic == topic else one for one in GOOD]
    return [one for one in kept if one is not None]


def dark(index: int, one: Arrival) -> Arrival:
    return replace(one, data=image_message(np.zeros((48, 64, 3), np.uint8), one.published_ns))


def frozen(index: int, one: Arrival) -> Arrival:
    return replace(one, data=image_message(picture(min(index, 40)), one.published_ns))


def old_stamps(index: int, one: Arrival) -> Arrival:
    return replace(one, data=image_message(picture(index), one.published_ns - 90_000_000_000))


def late_stamps(index: int, one: Arrival) -> Arrival:
    return replace(one, data=image_message(picture(index), one.published_ns - 150_000_000))


def many_missing(index: int, one: Arrival) -> Arrival | None:
    return None if 45 < index < 75 else one


def few_missing(index: int, one: Arrival) -> Arrival | None:
    return None if 45 < index < 51 else one


def commanded(turned: Callable[[np.ndarray], np.ndarray]) -> list[Arrival]:
    others = [one for one in GOOD if one.topic != CHUNK]
    return sorted([*others, *commands(LENGTH_S, turned)], key=lambda one: one.received_ns)


def told_to_open(index: int, one: Arrival) -> Arrival:
    opening = tip_path(LENGTH_S, 0.2)[index + 1, 6]
    delta = np.array([[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0 - opening]])
    return replace(one, data=chunk_message(delta, one.published_ns))


def another_sentence() -> list[Arrival]:
    at_ns = START_NS + 2 * 10**9
    said = Arrival(INSTRUCTION, string_message('open the drawer'), at_ns, at_ns)
    return sorted([*GOOD, said], key=lambda one: one.received_ns)


@pytest.mark.parametrize(
    ('arrivals', 'found'),
    [
        (changed(CAMERA, dark), 'fault pictures: image: 20 dark'),
        (changed(CAMERA, frozen), 'stand still while the arm moves'),
        (changed(CAMERA, late_stamps), 'flag skew: /camera/camera/color/image_raw arrives'),
        (changed(CAMERA, old_stamps), 'fault skew: /camera/camera/color/image_raw arrives 90'),
        (changed(CAMERA, many_missing), 'fault gaps: /camera/camera/color/image_raw lacks'),
        (changed(CAMERA, few_missing), 'flag gaps: /camera/camera/color/image_raw lacks'),
        (changed(CAMERA, lambda index, one: None), 'fault topics: /camera/camera/color/image_raw'),
        (changed(JOINTS, lambda index, one: None), 'fault topics: /wx250s/joint_states'),
        (changed(CHUNK, told_to_open), 'when told to close'),
        (another_sentence(), 'note labels: 2 instructions'),
        (commanded(lambda shift: -shift), 'only with x = -x, y = -y, z = -z: a wrong frame'),
        (commanded(lambda shift: shift[[1, 0, 2]]), 'only with x = y, y = x, z = z'),
        (commanded(lambda shift: shift * 10.0), 'other units?'),
    ],
    ids=lambda value: value if isinstance(value, str) else '',
)
def test_what_is_wrong_is_found(tmp_path: Path, arrivals: list[Arrival], found: str) -> None:
    assert found in texts(check(arrivals, tmp_path))


def test_a_wrong_polarity_of_the_mapping_is_found(tmp_path: Path) -> None:
    narrow = replace(MAPPING, finger_closed=0.020, finger_open=0.030)

    about = check(GOOD, tmp_path, mapping=narrow)

    assert 'fault gripper: the gripper goes from -0.50 to 1.70' in texts(about)
    assert about['excluded'].startswith('grade D: the gripper goes')


def test_exclusions_are_listed_with_their_reasons(tmp_path: Path) -> None:
    about = check(changed(CAMERA, many_missing), tmp_path)

    reasons = {one['reason'].split(' for ')[0] for one in about['exclusions']}
    assert 'no picture of image' in reasons
    counted = sum(one['count'] for one in about['exclusions'])
    figures = about['figures']
    assert counted + about['steps'] == figures['samples'] + figures['gaps']


@pytest.mark.parametrize('seed', range(5))
def test_any_swap_and_turn_of_axes_is_named(seed: int) -> None:
    rng = np.random.default_rng(seed)
    measured = rng.normal(0, 0.01, (40, 3))
    order, signs = rng.permutation(3), rng.choice([-1, 1], 3)
    commanded = np.empty_like(measured)
    commanded[:, order] = measured * signs
    late = np.roll(measured, 2, axis=0)

    found = best_axes(commanded, late)

    assert np.array_equal(commanded[:, found[0]] * found[1], measured)
    assert found[2] > 0.9
    findings = list(check_agreement(commanded, late))
    is_right = order.tolist() == [0, 1, 2] and (signs == 1).all()
    assert [one.severity for one in findings] == ([] if is_right else ['fault'])


def test_motion_that_has_nothing_to_do_with_commands_is_flagged() -> None:
    rng = np.random.default_rng(0)

    findings = check_agreement(rng.normal(0, 0.01, (60, 3)), rng.normal(0, 0.01, (60, 3)))

    assert [one.severity for one in findings] == ['flag']


def test_the_worst_finding_grades() -> None:
    assert grade([]) == 'A'
    assert grade([Finding('x', 'note', ''), Finding('x', 'fault', '')]) == 'D'


def test_words_of_a_bag_stay_words_in_the_report(tmp_path: Path) -> None:
    about = check(GOOD, tmp_path)
    about['name'] = '<script>alert(1)</script>'
    report = {
        'dataset': 'x',
        'episodes': [about],
        'excluded': [{'episode': 'y', 'reason': '"><img src=x>'}],
        'train': ['x'],
        'validation': [],
        'steps': 5,
    }

    page = report_page(report)

    assert '<script>' not in page
    assert '<img' not in page
    assert '&lt;script&gt;' in page


def table_view(shift_px: int) -> np.ndarray:
    """(256, 256, 3): texture, seen by a camera that was turned a little."""
    coarse = np.random.default_rng(3).integers(30, 220, (40, 40, 3), np.uint8)
    whole = cv2.resize(coarse, (400, 400), interpolation=cv2.INTER_NEAREST)
    return whole[70 : 70 + 256, 40 + shift_px : 40 + shift_px + 256].copy()


@pytest.mark.parametrize(('shift_px', 'is_found'), [(0, False), (4, False), (24, True)])
def test_a_camera_that_was_moved_is_found(shift_px: int, is_found: bool) -> None:
    found = list(compare_views(table_view(0), table_view(shift_px), 'then'))

    assert [one.check for one in found] == (['view'] if is_found else [])
    assert all(f'by {shift_px} of 256 px' in one.text for one in found)
