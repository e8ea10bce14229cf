"""Stage `healing`: crashed stage tasks come back with backoff, at most five times, then the engine degrades (DESIGN 6)."""
