"""Writes the report of a session: ``report.html``, ``report.json`` and ``trials.csv``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from magma_ros import __version__
from magma_ros.errors import EnvironmentMissing, RecordingError
from magma_ros.evaluation.report.analysis import Analysis, analyse
from magma_ros.evaluation.report.plain_data import as_csv, as_plain_data
from magma_ros.evaluation.report.reported_session import ReportedSession

NEEDED = ('jinja2', 'matplotlib')
PAGE, DATA, TRIALS = 'report.html', 'report.json', 'trials.csv'


@dataclass(frozen=True)
class WrittenReport:
    """A report and where its page is."""

    page: Path
    analysis: Analysis


def write_report(session: ReportedSession) -> WrittenReport:
    """Analyse a session and write the three files into its folder, each whole or not at all.

    Raises:
        EnvironmentMissing: matplotlib or jinja2 are not installed.
        ConfigurationError, RecordingError: as of ``check_session``.
        RecordingError: the folder cannot be written.
    """
    require_packages()
    # Imported here, so that everything else works without the extra.
    from magma_ros.evaluation.report.session_page import render_page

    analysis = analyse(session)
    versions = _versions()
    files = {
        TRIALS: as_csv(analysis),
        DATA: json.dumps(as_plain_data(analysis, versions), indent=1, allow_nan=False) + '\n',
        PAGE: render_page(analysis, versions),
    }
    for name, text in files.items():
        _write(session.folder / name, text)
    return WrittenReport(session.folder / PAGE, analysis)


def require_packages() -> None:
    """Check that the page can be made.

    Raises:
        EnvironmentMissing: a package is missing; the message has the command that installs it.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise EnvironmentMissing(
            f'a session report needs {" and ".join(missing)}: pip install .[sessions]'
        )


def _versions() -> dict[str, str]:
    return {
        'magma_ros': __version__,
        **{name: metadata.version(name) for name in ('numpy', 'scipy', 'matplotlib')},
    }


def _write(path: Path, text: str) -> None:
    part = path.with_name(f'{path.name}.part')
    try:
        part.write_text(text, encoding='utf-8', newline='')
        part.replace(path)
    except OSError as error:
        raise RecordingError(
            f'{path} cannot be written ({error.strerror}): make room or mend the permissions, '
            'then: magma session report'
        ) from error
