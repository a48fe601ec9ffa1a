"""From delta chunks to smooth, limited twists: and who may move when."""
