"""Do it once: write-ahead intents, outcome classes, asking instead of guessing."""
