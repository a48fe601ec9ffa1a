import argparse
import hashlib
import io
import json

import pytest
from rich.console import Console

from magma_ros.tools import (
    camera_checks,
    clock_checks,
    doctor,
    graph_checks,
    machine_checks,
    software_checks,
)
from magma_ros.tools.finding import Finding, probe

GOOD = Finding('disk', True, '80 GB free', 'nothing to do')
BAD = Finding('shared memory', False, '64 MB free', 'start the container with --shm-size=1g')
NOTE = Finding('GPU', None, 'none', 'magma-nano runs without')


def printed(findings):
    text = io.StringIO()
    doctor.print_findings(findings, Console(file=text, width=120))
    return text.getvalue()


def test_findings_are_in_the_order_of_the_checks():
    found = doctor.collect_findings([lambda: GOOD, lambda: [BAD, NOTE], lambda: GOOD])

    assert found == [GOOD, BAD, NOTE, GOOD]


def test_what_is_missing_is_printed_with_what_to_do():
    text = printed([GOOD, BAD, NOTE])

    assert '--shm-size=1g' in text
    assert 'Missing: shared memory.' in text


def test_extras_in_brackets_are_printed():
    assert '-e ".[realsense]"' in printed(
        [Finding('camera', None, 'x', 'pip install -e ".[realsense]"')]
    )


def test_notes_alone_are_fine():
    assert 'Everything that is needed is there.' in printed([GOOD, NOTE])


@pytest.mark.parametrize(('findings', 'code'), [([GOOD, NOTE], 0), ([GOOD, BAD], 1)])
def test_exit_code(findings, code, monkeypatch):
    monkeypatch.setattr(doctor, 'collect_findings', lambda checks: findings)

    assert doctor.run(argparse.Namespace(arm='wx250s')) == code


@pytest.mark.parametrize(
    'check',
    [
        machine_checks.check_python,
        machine_checks.check_compiler,
        machine_checks.check_shared_memory,
        machine_checks.check_real_time,
        machine_checks.check_disk,
        machine_checks.check_gpu,
        software_checks.check_domain,
        software_checks.check_torch,
        software_checks.check_checkpoint,
        camera_checks.check_realsense,
        camera_checks.check_video_devices,
        clock_checks.check_clock,
        graph_checks.check_arm_profile,
    ],
)
def test_checks_answer_on_this_machine_and_say_what_to_do(check):
    finding = check()

    assert finding.what
    assert finding.next_step


def test_little_shared_memory_is_found(tmp_path, monkeypatch):
    usage = machine_checks.shutil.disk_usage(tmp_path)._replace(free=64_000_000)
    monkeypatch.setattr(machine_checks.shutil, 'disk_usage', lambda directory: usage)

    finding = machine_checks.check_shared_memory(tmp_path)

    assert finding.ok is False
    assert '64 MB free' in finding.what
    assert machine_checks.check_shared_memory(tmp_path / 'absent').ok is False


@pytest.mark.parametrize(
    ('value', 'ok'), [('0', True), ('101', True), ('102', False), ('-1', False), ('x', False)]
)
def test_domain(value, ok):
    assert software_checks.check_domain(value).ok is ok


def test_checkpoint_is_compared_with_its_checksums(tmp_path):
    model = tmp_path / 'model.onnx'
    model.write_bytes(b'weights')
    digest = hashlib.sha256(b'weights').hexdigest()
    assert software_checks.check_checkpoint(tmp_path).ok is False

    (tmp_path / 'SHA256SUMS').write_text(f'{digest}  model.onnx\n')
    assert software_checks.check_checkpoint(tmp_path).ok is True

    model.write_bytes(b'other weights')
    finding = software_checks.check_checkpoint(tmp_path)
    assert finding.ok is False
    assert 'model.onnx' in finding.what


def test_an_empty_checksum_file_proves_nothing(tmp_path):
    (tmp_path / 'SHA256SUMS').touch()

    assert software_checks.check_checkpoint(tmp_path).ok is False


def test_other_middleware_is_noted(monkeypatch):
    monkeypatch.setattr(software_checks, 'probe', lambda *_: (True, 'rmw_cyclonedds_cpp'))

    finding = software_checks.check_ros()

    assert finding.ok is None
    assert 'rmw_fastrtps_cpp' in finding.next_step


def test_missing_ros_is_found(monkeypatch):
    monkeypatch.setattr(software_checks, 'probe', lambda *_: (False, "No module named 'rclpy'"))

    assert software_checks.check_ros().ok is False
    assert software_checks.check_messages().ok is False


def test_probe_survives_crashes_and_hangs():
    assert probe('print("a"); print("b")', {}) == (True, 'b')
    assert probe('import os; os.abort()', {})[0] is False
    assert probe('raise ValueError("why")', {}) == (False, 'ValueError: why')
    assert probe('while True: input()', {}, timeout_s=0.01)[0] is False


def test_a_realsense_at_usb_2_is_found(monkeypatch):
    camera = {'name': 'D435', 'serial': '0123', 'usb': '2.1', 'firmware': '5', 'is_slow': True}
    monkeypatch.setattr(camera_checks, 'probe', lambda *_: (True, json.dumps([camera])))
    slow = camera_checks.check_realsense()
    camera.update(usb='3.2', is_slow=False)
    fast = camera_checks.check_realsense()
    monkeypatch.setattr(camera_checks, 'probe', lambda *_: (True, '[]'))
    absent = camera_checks.check_realsense()

    assert slow.ok is False
    assert 'USB 3 port' in slow.next_step
    assert fast.ok is True
    assert 'D435 0123, USB 3.2' in fast.what
    assert absent.ok is None


def test_video_devices_that_may_not_be_opened_are_found(tmp_path):
    assert camera_checks.check_video_devices(tmp_path).ok is None
    (tmp_path / 'video987').mkdir()
    (tmp_path / 'video987' / 'name').write_text('Some Webcam\n')

    finding = camera_checks.check_video_devices(tmp_path)

    assert finding.ok is False  # there is no /dev/video987
    assert 'Some Webcam' in finding.what
    assert 'usermod' in finding.next_step


CHRONY = 'System time     : 0.0{} seconds slow of NTP time\nLeap status     : {}\n'


@pytest.mark.parametrize(
    ('answers', 'ok', 'what'),
    [
        ({'chronyc': CHRONY.format('0012', 'Normal')}, True, '0.12 ms slow'),
        ({'chronyc': CHRONY.format('5', 'Normal')}, False, '50.00 ms'),
        ({'chronyc': CHRONY.format('0', 'Not synchronised')}, False, 'not synchronised'),
        ({'timedatectl': 'NTPSynchronized=yes\n'}, True, 'systemd'),
        ({'timedatectl': 'NTPSynchronized=no\n'}, None, 'not synchronised'),
        ({}, None, 'neither'),
    ],
)
def test_clocks(answers, ok, what):
    finding = clock_checks.check_clock(lambda command: answers.get(command[0]))

    assert finding.ok is ok
    assert what in finding.what


@pytest.mark.parametrize(
    ('report', 'ok', 'advice'),
    [
        (('/c/image_raw', 1, 30.0, 0.02), True, 'nothing'),
        (('/c/image_raw', 0, 0.0, None), None, 'driver'),
        (('/c/image_raw', 1, 0.0, None), False, 'QoS'),
        (('/c/image_raw', 1, 2.0, 0.02), False, 'at least 5 Hz'),
        (('/c/image_raw', 1, 30.0, 3.0), False, 'chrony'),
        (('/c/image_raw', 1, 30.0, -0.5), False, 'ahead'),
        (('/w/joint_states', 1, 10.0, 0.01), False, 'at least 20 Hz'),
    ],
)
def test_topics_are_judged(report, ok, advice):
    finding = graph_checks.judge_topic(*report)

    assert finding.ok is ok
    assert advice in finding.next_step


def test_a_graph_that_runs_is_reported(monkeypatch):
    answer = json.dumps([['sim_node'], [['/c/image_raw', 1, 15.0, 0.01]]])
    monkeypatch.setattr(graph_checks, 'probe', lambda *_: (True, answer))
    assert [finding.ok for finding in graph_checks.check_graph()] == [True, True]

    monkeypatch.setattr(graph_checks, 'probe', lambda *_: (True, '[[], []]'))
    (nothing,) = graph_checks.check_graph()
    assert nothing.ok is None
    monkeypatch.setattr(graph_checks, 'probe', lambda *_: (False, 'no rclpy'))
    assert 'no rclpy' in graph_checks.check_graph()[0].what


def test_an_unknown_arm_is_found():
    finding = graph_checks.check_arm_profile('toaster')

    assert graph_checks.check_graph('toaster') == []

    assert finding.ok is False
    assert 'wx250s' in finding.what


def test_a_jetson_is_known_by_its_board(tmp_path):
    model = tmp_path / 'model'
    model.write_text('NVIDIA Jetson AGX Orin Developer Kit\0')

    finding = machine_checks.check_gpu(model)

    assert finding.ok is True
    assert 'Orin' in finding.what
    assert 'GB free' in finding.what


def test_a_gpu_that_onnxruntime_ignores_is_noted(monkeypatch):
    monkeypatch.setattr(software_checks, 'probe', lambda *_: (True, 'CPUExecutionProvider'))
    monkeypatch.setattr(software_checks.shutil, 'which', lambda name: f'/usr/bin/{name}')

    finding = software_checks.check_onnxruntime()

    assert finding.ok is None
    assert 'through torch' in finding.next_step
