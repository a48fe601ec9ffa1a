"""The report of a dataset as one HTML page that needs nothing else."""

from __future__ import annotations

from typing import Any

from magma_ros.errors import EnvironmentMissing
from magma_ros.resources import asset_path

TEMPLATE = 'data_report.html.jinja'


def report_page(report: dict[str, Any]) -> str:
    """HTML; words from bags are data and stay text.

    Raises:
        EnvironmentMissing: jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, StrictUndefined
    except ModuleNotFoundError as error:
        raise EnvironmentMissing('reports need jinja2: pip install .[data]') from error
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string(asset_path(TEMPLATE).read_text(encoding='utf-8'))
    return template.render(report=report)
