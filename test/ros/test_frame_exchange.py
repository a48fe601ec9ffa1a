import subprocess

import pytest

pytest.importorskip('rclpy')

pytestmark = pytest.mark.ros


def test_pictures_are_not_lost_between_processes(start_program):
    start_program('publish_frames.py')
    counter = start_program('count_frames.py', stdout=subprocess.PIPE, text=True)

    output, _ = counter.communicate(timeout=30)

    received, sent = (int(number) for number in output.split(' of '))
    # With Fast DDS's default profile almost none arrive; a busy machine may delay one or two.
    assert sent >= 50
    assert received >= sent - 3
