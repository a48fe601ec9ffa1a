"""Checks of ``magma doctor`` on a ROS system that runs: nodes, rates, and clocks of stamps."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

from magma_ros.errors import ConfigurationError
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.tools.finding import Finding, probe

LISTEN_S = 2.0
PROBE_S = 20.0
SURVEY = """
import json
from magma_ros.nodes.graph_survey import survey_graph
nodes, reports = survey_graph({listen_s}, {joint_states!r})
print(json.dumps([sorted(nodes), [[r.name, r.publishers, r.rate_hz, r.age_s] for r in reports]]))
"""
LOW_HZ = {'image_raw': 5.0, 'camera_info': 5.0, 'joint_states': 20.0}
LARGEST_AGE_S = 0.2  # of a picture at its arrival; older ones slow the arm down
LARGEST_LEAD_S = 0.010  # stamps of the future


def check_arm_profile(arm: str = 'wx250s') -> Finding:
    """Whether the profile of the arm can be read."""
    try:
        profile = load_arm_profile(arm)
    except ConfigurationError as error:
        return Finding('arm profile', False, str(error), 'put the file right (docs/arms.md)')
    return Finding(
        'arm profile',
        True,
        f'{profile.name}, {profile.base_link}',
        'another arm: magma doctor --arm fr3; magma arm-check compares it with the real one',
    )


def check_graph(arm: str = 'wx250s') -> list[Finding]:
    """What runs now, and whether its topics come fast and with stamps of now."""
    try:
        joint_states = load_arm_profile(arm).joint_states_topic
    except ConfigurationError:  # check_arm_profile says so
        return []
    code = SURVEY.format(listen_s=LISTEN_S, joint_states=joint_states)
    works, answer = probe(code, os.environ, PROBE_S)
    if not works:
        return [Finding('nodes', None, f'could not be asked: {answer}', 'make environment')]
    nodes, reports = read_survey(answer)
    if not nodes:
        domain = os.environ.get('ROS_DOMAIN_ID', '0')
        return [
            Finding(
                'nodes',
                None,
                f'none run in ROS domain {domain}',
                'start something, then run this again to see rates and ages of its topics',
            )
        ]
    shown = ', '.join(nodes[:8]) + (f' and {len(nodes) - 8} more' if len(nodes) > 8 else '')
    return [
        Finding('nodes', True, shown, 'nothing to do'),
        *(judge_topic(*report) for report in reports),
    ]


def read_survey(answer: str) -> tuple[list[str], Iterator[tuple[str, int, float, float | None]]]:
    """Node names, and (name, publishers, rate in Hz, age in s) of each topic."""
    nodes, reports = json.loads(answer)
    return nodes, (tuple(report) for report in reports)


def judge_topic(name: str, publishers: int, rate_hz: float, age_s: float | None) -> Finding:
    """Whether a topic is as perception and control need it."""
    if not publishers:
        return Finding(name, None, 'nobody publishes it', 'start its driver, if it is needed')
    if age_s is None:
        return Finding(
            name,
            False,
            f'{publishers} publishers, nothing heard in {LISTEN_S:g} s',
            'is the driver well? On another machine: firewall, ROS_AUTOMATIC_DISCOVERY_RANGE, QoS',
        )
    what = f'{rate_hz:.1f} Hz, {age_s * 1e3:.0f} ms old at arrival'
    low_hz = LOW_HZ.get(name.rsplit('/', 1)[-1], 0.0)
    if age_s < -LARGEST_LEAD_S:
        return Finding(name, False, what, 'its clock is ahead of this one: synchronise (chrony)')
    if age_s > LARGEST_AGE_S:
        return Finding(
            name, False, what, 'clocks differ (chrony), or the network is too slow for pictures'
        )
    if rate_hz < low_hz:
        return Finding(name, False, what, f'at least {low_hz:g} Hz are needed: USB, light, load?')
    return Finding(name, True, what, 'nothing to do')
