"""Stage `bus`: what happened is said once, in order, to whoever listens, whatever is down meanwhile (DESIGN 6)."""
