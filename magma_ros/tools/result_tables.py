"""Writes the success tables of README.md and docs/nano.md from docs/nano_results.json.

``python -m magma_ros.tools.result_tables`` in a checkout; a test compares them.
"""

from __future__ import annotations

from pathlib import Path

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.suite import full_table, mode_table, read_results

RESULTS_FILE = 'docs/nano_results.json'
PAGES = {'README.md': ('success', mode_table), 'docs/nano.md': ('results', full_table)}


def with_results(page: str, text: str, checkout: Path) -> str:
    """The text of ``page`` with its table written anew between the markers.

    Raises:
        ConfigurationError: a marker is missing, or the results are not those of the suite.
    """
    name, make = PAGES[page]
    before, opening, rest = text.partition(f'<!-- {name} -->\n')
    _, closing, after = rest.partition(f'<!-- /{name} -->')
    if not opening or not closing:
        raise ConfigurationError(f'{page}: <!-- {name} --> and <!-- /{name} --> must be there')
    return f'{before}{opening}{make(read_results(checkout / RESULTS_FILE))}{closing}{after}'


if __name__ == '__main__':
    for page in PAGES:
        path = Path(page)
        path.write_text(with_results(page, path.read_text(encoding='utf-8'), Path('.')), 'utf-8')
