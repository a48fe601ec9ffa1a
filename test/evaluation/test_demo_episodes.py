from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')
rosbags_reader = pytest.importorskip('rosbags.highlevel')

from magma_ros.errors import ConfigurationError, InstructionError  # noqa: E402
from magma_ros.evaluation.demo_episodes import (  # noqa: E402
    DemoSetting,
    PlannedEpisode,
    plan_episodes,
    plan_sentence,
    run_episodes,
)
from magma_ros.evaluation.demo_files import write_files  # noqa: E402
from magma_ros.evaluation.demo_report import DemoReport  # noqa: E402
from magma_ros.nodes.node_program import DEMO_PROGRAMS  # noqa: E402
from magma_ros.sim.instructions import understand  # noqa: E402
from magma_ros.sim.scenario import make_scenario  # noqa: E402

SENTENCE, SEED = 'go to the green cube', 7


def test_episodes_are_spread_over_the_tasks() -> None:
    plan = plan_episodes(('reach', 'pick', 'put'), 6, 100)
    assert [one.task for one in plan] == ['reach', 'reach', 'pick', 'pick', 'put', 'put']
    assert [one.seed for one in plan] == [100, 101, 102, 103, 104, 105]
    assert [one.task for one in plan_episodes(('reach', 'put'), 3, 0)] == ['reach', 'reach', 'put']


@pytest.mark.parametrize(
    ('tasks', 'count', 'named'), [(('jump',), 1, 'jump'), (('reach',), 0, '0 epi'), ((), 1, 'no')]
)
def test_impossible_plans_name_the_tasks(tasks: tuple, count: int, named: str) -> None:
    with pytest.raises(ConfigurationError, match=f'{named}.*tasks are reach, pick, put, push'):
        plan_episodes(tasks, count, 0)


def test_a_sentence_finds_its_task() -> None:
    plan = plan_sentence('put the red cube on the blue plate', 2, 7)
    assert plan == (
        PlannedEpisode('put', 7, 'put the red cube on the blue plate'),
        PlannedEpisode('put', 8, 'put the red cube on the blue plate'),
    )


@pytest.mark.parametrize(
    ('sentence', 'reason'),
    [
        ('', 'the instruction is empty; try'),
        ('put the pink cube on the blue plate', 'there is no "pink cube" to handle; name one of'),
        ('push the red cube left and right', 'at most one place or direction'),
        ('paint the red cube', 'says not what to do .* try reach, pick up'),
    ],
)
def test_a_sentence_that_cannot_be_used_says_why(sentence: str, reason: str) -> None:
    with pytest.raises(InstructionError, match=reason):
        plan_sentence(sentence, 1, 7)


def path_to_the_target() -> str:
    """What a perfect model would answer to SENTENCE: one point, on top of the cube."""
    pytest.importorskip('mujoco')
    from magma_ros.image.projection import project
    from magma_ros.robot.arm_profile import load_arm_profile
    from magma_ros.sim.camera import SimCamera
    from magma_ros.sim.world import World

    scenario = make_scenario(understand(SENTENCE), SEED)
    world = World(load_arm_profile('wx250s'))
    world.reset(scenario.scene)
    camera = SimCamera(world)
    camera.place(scenario.scene)
    target_m = world.truth().positions_m['green cube'] + [0.0, 0.0, 0.016]
    share = project(camera.model(), target_m)[0] / (640, 480)
    camera.close()
    return f'<ans>[({share[0]:.4f}, {share[1]:.4f})]</ans>'


@pytest.mark.ros
def test_an_episode_through_the_nodes_leaves_video_bag_and_page(
    tmp_path: Path, domain_id: int
) -> None:
    scripted = {'model': 'scripted', 'mode': 'path', 'scripted_path': path_to_the_target()}
    told, shown = [], []
    films = run_episodes(
        plan_sentence(SENTENCE, 1, SEED),
        DemoSetting(tmp_path, domain_id, scripted),
        told.append,
        shown.append,
    )
    report = DemoReport(
        tuple(film.record for film in films), 'path', 'scripted', '0', {}, 'test', 'today', 1.0
    )
    page = write_files(tmp_path, report, films)

    assert told == [films[0].record]
    assert told[0].instruction == SENTENCE
    assert told[0].success
    assert shown == [frame.jpeg for frame in films[0].frames]
    assert len(shown) >= 5
    last = cv2.imdecode(np.frombuffer(shown[-1], np.uint8), cv2.IMREAD_COLOR)
    assert last.shape == (480, 640, 3)
    assert page.read_text().count('data:image/jpeg') == 1
    assert cv2.VideoCapture(str(tmp_path / 'demo.webm')).read()[0]
    with rosbags_reader.AnyReader([tmp_path / 'episode']) as reader:
        counts = {connection.topic: connection.msgcount for connection in reader.connections}
        sentences = [
            reader.deserialize(raw, connection.msgtype).data
            for connection, _, raw in reader.messages()
            if connection.topic == '/magma/instruction'
        ]
    assert SENTENCE in sentences
    assert counts['/magma/trace'] >= 5
    assert counts['/wx250s/joint_states'] > 100
    assert counts['/tf_static'] >= 1


@pytest.mark.ros
def test_interrupt_brakes_the_arm_and_closes_the_bag(tmp_path: Path, domain_id: int) -> None:
    program = f"""
        import sys
        from pathlib import Path
        from magma_ros.evaluation.demo_episodes import DemoSetting, plan_episodes, run_episodes
        from magma_ros.tools.first_interrupt import first_interrupt_only
        down = {{'model': 'scripted', 'mode': 'direct', 'scripted_actions': [0.0] * 2 + [-0.5]
                + [0.0] * 4}}
        setting = DemoSetting(Path({str(tmp_path)!r}), {domain_id}, down)
        with first_interrupt_only():
            run_episodes(plan_episodes(('put',), 1, 1), setting, print, lambda jpeg: print('on',
                         flush=True))
    """
    process = subprocess.Popen(
        [sys.executable, '-c', textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == 'on\n'
    nodes = children_named('magma_ros.nodes', process.pid)
    assert len(nodes) == len(DEMO_PROGRAMS)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)  # an impatient second one must not leave nodes behind
    _, errors = process.communicate(timeout=30)

    assert 'stopping, the arm first' in errors
    assert 'KeyboardInterrupt' in errors
    assert not [pid for pid in nodes if Path(f'/proc/{pid}').exists()]
    with rosbags_reader.AnyReader([tmp_path / 'episode']) as reader:
        states = [
            {pair.key: pair.value for pair in message.values}
            for message in (
                reader.deserialize(raw, connection.msgtype)
                for connection, _, raw in reader.messages()
                if connection.topic == '/magma/state'
            )
        ]
    assert any(state['mode'] == 'policy' for state in states)
    assert (states[-1]['mode'], states[-1]['at_rest']) == ('disarmed', 'true')


def children_named(part: str, parent: int) -> list[int]:
    """Process ids of the children whose command line has ``part`` in it."""
    found = []
    for process in Path('/proc').glob('[0-9]*'):
        try:
            command = (process / 'cmdline').read_text()
            of = int((process / 'stat').read_text().rsplit(')', 1)[1].split()[1])
        except OSError:  # it has just ended
            continue
        if of == parent and part in command:
            found.append(int(process.name))
    return found
