"""From samples to the seven numbers a policy learns, and their statistics."""
