"""One trading engine: one process for one exchange account (DESIGN 6).  Stages meet in node.py only."""
