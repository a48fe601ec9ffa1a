"""First motions of an arm that nobody trusts yet: small strokes, and what they tell about it."""
