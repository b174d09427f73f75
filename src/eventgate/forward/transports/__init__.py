"""Ways to move bytes to a receiver."""
