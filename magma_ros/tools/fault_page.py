"""Writes the table of injected faults in docs/safety.md from docs/fault_results.json.

``python -m magma_ros.tools.fault_page`` in a checkout; a test compares them. The results come from
``magma bench faults --results docs/fault_results.json``.
"""

from __future__ import annotations

from pathlib import Path

from magma_ros.faults.fault_table import fault_table, read_fault_results
from magma_ros.tools.interface_tables import with_tables

PAGE, RESULTS_FILE = 'docs/safety.md', 'docs/fault_results.json'


def with_faults(text: str, checkout: Path) -> str:
    """The page with its table written anew between ``<!-- faults -->`` and ``<!-- /faults -->``.

    Raises:
        ConfigurationError: a marker is missing, or the results are not those of the whole matrix.
    """
    return with_tables(
        text, {'faults': lambda: fault_table(read_fault_results(checkout / RESULTS_FILE))}
    )


if __name__ == '__main__':
    page = Path(PAGE)
    page.write_text(with_faults(page.read_text(encoding='utf-8'), Path('.')), encoding='utf-8')
