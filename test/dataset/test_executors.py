"""Ray does with episodes what one process does. The cluster here is made of threads."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from robot_bag import robot_arrivals, write_robot_bag

sys.path.insert(0, str(Path(__file__).parent / 'programs'))

from convert_bags import rules  # noqa: E402

from magma_ros.dataset.export.conversion import convert  # noqa: E402
from magma_ros.dataset.export.episode_conversion import convert_episode  # noqa: E402
from magma_ros.dataset.export.staged_episode import hash_file  # noqa: E402
from magma_ros.errors import EnvironmentMissing, RecordingError  # noqa: E402


class RayError(Exception):
    """As in ray.exceptions."""


class RayTaskError(RayError):
    """As in ray.exceptions: an error of the function."""

    def __init__(self, cause: Exception) -> None:
        super().__init__('a page of text')
        self.cause = cause


class FakeRay(ModuleType):
    """The functions of Ray that are used; what is handed to a task is pickled, as there."""

    def __init__(self) -> None:
        super().__init__('ray')
        self.exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)
        self.calls: list[str] = []
        self.options: list[dict[str, Any]] = []
        self.functions: set[Any] = set()
        self.before: Callable[[Path], None] = lambda staging: None

    def init(self) -> None:
        if os.environ.get('RAY_ADDRESS'):
            raise ConnectionError('no cluster is there')
        self.calls.append('init')
        self._threads = ThreadPoolExecutor(2)

    def shutdown(self) -> None:
        self.calls.append('shutdown')
        self._threads.shutdown(cancel_futures=True)

    def remote(self, **options: Any) -> Callable[[Any], Any]:
        self.options.append(options)

        def wrap(function: Any) -> Any:
            self.functions.add(function)
            return SimpleNamespace(remote=lambda *args: self._start(function, pickle.dumps(args)))

        return wrap

    def _start(self, function: Any, pickled: bytes) -> Any:
        def run() -> bytes:
            args = pickle.loads(pickled)  # noqa: S301 (made above)
            self.before(args[1])
            try:
                return function(*args)
            except Exception as error:
                raise RayTaskError(error) from error

        future: Future[Any] = self._threads.submit(run)
        return SimpleNamespace(future=lambda: future)


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    monkeypatch.delenv('RAY_ADDRESS', raising=False)
    fake = FakeRay()
    monkeypatch.setitem(sys.modules, 'ray', fake)
    return fake


@pytest.fixture(scope='module')
def bags(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp('bags')
    return [
        write_robot_bag(root / f'bag{number}', robot_arrivals(0.8 + 0.2 * number))
        for number in range(3)
    ]


def hashes(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(path for path in folder.rglob('*') if path.is_file()):
        yield path.relative_to(folder).as_posix(), hash_file(path)


def test_ray_makes_the_same_bytes_with_the_same_function(
    bags: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ray: FakeRay
) -> None:
    here = convert(bags, tmp_path / 'here', rules('rlds'))
    monkeypatch.chdir(tmp_path)  # paths are made absolute before they travel
    relative = [Path('..', *bag.parts[len(tmp_path.parent.parts) :]) for bag in bags]
    assert ray.calls == []

    there = convert(relative, Path('there'), rules('rlds'), executor='ray')

    assert dict(hashes(there.folder)) == dict(hashes(here.folder))
    assert ray.functions == {convert_episode}
    assert ray.options == [{'max_retries': 0}] * 3
    assert ray.calls == ['init', 'shutdown']


def test_ray_that_is_not_installed_is_named(
    bags: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, 'ray', None)

    with pytest.raises(EnvironmentMissing, match=r'pip install \.\[ray\]'):
        convert(bags, tmp_path / 'out', rules('rlds'), executor='ray')
    assert not (tmp_path / 'out').exists()


def test_a_cluster_that_does_not_answer_is_named(
    bags: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ray: FakeRay
) -> None:
    monkeypatch.setenv('RAY_ADDRESS', 'nowhere:1')

    with pytest.raises(EnvironmentMissing, match='no cluster is there; look at RAY_ADDRESS'):
        convert(bags, tmp_path / 'out', rules('rlds'), executor='ray')


def test_a_machine_that_does_not_see_the_folder_says_so(
    bags: list[Path], tmp_path: Path, ray: FakeRay
) -> None:
    def hide(staging: Path) -> None:
        if staging.exists():
            staging.rename(staging.with_name('elsewhere'))

    ray.before = hide

    with pytest.raises(RecordingError, match='episodes is not there on .* same path'):
        convert(bags[:1], tmp_path / 'out', rules('rlds'), executor='ray')
    assert ray.calls == ['init', 'shutdown']


def test_after_a_machine_was_lost_the_same_command_goes_on(
    bags: list[Path], tmp_path: Path, ray: FakeRay
) -> None:
    def lose(staging: Path) -> None:
        if any(staging.iterdir()):
            raise RayError('the node is gone')

    ray.before = lose
    with pytest.raises(RecordingError, match='RayError.*goes on'):
        convert(bags, tmp_path / 'out', rules('rlds'), executor='ray')
    assert not (tmp_path / 'out').exists()
    ray.before = lambda staging: None

    assert convert(bags, tmp_path / 'out', rules('rlds'), executor='ray').is_new
    assert ray.calls == ['init', 'shutdown'] * 2
