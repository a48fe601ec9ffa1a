"""The ``magma`` command and what it runs; thin: the work is done in the other folders."""
