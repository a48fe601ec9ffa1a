"""Finetunes any size of Magma on conversations (needs the ``finetune`` extra)."""
