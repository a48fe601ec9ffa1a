"""Trains magma-nano in simulation (needs the ``torch`` extra and the simulator)."""
