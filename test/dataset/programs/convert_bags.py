"""Converts bags in a process that a test can kill: ``out format workers bags...``."""

from __future__ import annotations

import sys
from pathlib import Path

from magma_ros.dataset.export.conversion import convert
from magma_ros.dataset.export.conversion_rules import ConversionRules
from magma_ros.dataset.features.mapping import load_mapping
from magma_ros.dataset.features.sampling import SamplingRules


def rules(form: str) -> ConversionRules:
    """Small pictures, and all that is needed to compare."""
    sampling = SamplingRules(10.0, 32)
    mapping = load_mapping('wx250s')
    return ConversionRules('cubes', form, mapping, sampling, validation_share=0.0)  # type: ignore[arg-type]


if __name__ == '__main__':
    out, form, workers, *bags = sys.argv[1:]
    convert(
        [Path(bag) for bag in bags],
        Path(out),
        rules(form),
        int(workers),
        lambda name, done, of: print(name, flush=True),  # noqa: T201 (the test reads it)
    )
