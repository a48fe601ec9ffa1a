"""The success tables show what was measured, and with the checkpoint that is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from magma_ros.evaluation.suite import SUITE, read_results
from magma_ros.model.backends.onnx_model import load_onnx_model
from magma_ros.resources import asset_path
from magma_ros.tools.result_tables import PAGES, RESULTS_FILE, with_results

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize('page', PAGES)
def test_tables_equal_the_results(page: str) -> None:
    text = (CHECKOUT / page).read_text(encoding='utf-8')

    assert with_results(page, text, CHECKOUT) == text


def test_results_are_of_the_shipped_checkpoint_and_complete() -> None:
    results = read_results(CHECKOUT / RESULTS_FILE)
    shipped = load_onnx_model(asset_path('nano'), lambda rgb, settings: rgb).identity

    assert results.keys() == SUITE.keys()
    for name, result in results.items():
        assert result['n'] == SUITE[name].episodes
        if result['actor'] == 'model':
            assert result['model']['sha256'] == shipped.sha256
