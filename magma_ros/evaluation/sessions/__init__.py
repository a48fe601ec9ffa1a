"""Comparison sessions: conditions, tasks and layouts in a fixed order, blind until the report."""
