"""The second port: what a test or a demo orders from the venue, and what it may look at."""
