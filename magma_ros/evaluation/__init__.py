"""Measures policies honestly: fixed seeds, true latency, exact intervals."""
