"""Prices that move by order or by chance: the same seed, the same day.  Pure."""
