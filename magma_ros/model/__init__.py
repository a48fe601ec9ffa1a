"""Magma: prompts, tokens, network and answers. Torch only in files whose first line says so."""
