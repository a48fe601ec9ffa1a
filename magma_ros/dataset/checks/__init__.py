"""Is a recording good enough to learn from? Figures, findings and a grade for each episode."""
