"""What Magma is told and what it says: prompts, tokenizers and parsers of its answers."""
