import hashlib
import io

import pytest
from rich.console import Console

from magma_ros.tools import doctor, machine_checks, software_checks
from magma_ros.tools.finding import Finding, probe

GOOD = Finding('disk', True, '80 GB free', 'nothing to do')
BAD = Finding('shared memory', False, '64 MB free', 'start the container with --shm-size=1g')
NOTE = Finding('GPU', None, 'none', 'magma-nano runs without')


def printed(findings):
    text = io.StringIO()
    doctor.print_findings(findings, Console(file=text, width=120))
    return text.getvalue()


def test_findings_are_in_the_order_of_the_checks():
    assert doctor.collect_findings([lambda: GOOD, lambda: BAD]) == [GOOD, BAD]


def test_what_is_missing_is_printed_with_what_to_do():
    text = printed([GOOD, BAD, NOTE])

    assert '--shm-size=1g' in text
    assert 'Missing: shared memory.' in text


def test_notes_alone_are_fine():
    assert 'Everything that is needed is there.' in printed([GOOD, NOTE])


@pytest.mark.parametrize(('findings', 'code'), [([GOOD, NOTE], 0), ([GOOD, BAD], 1)])
def test_exit_code(findings, code, monkeypatch):
    monkeypatch.setattr(doctor, 'collect_findings', lambda: findings)

    assert doctor.run(None) == code


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
