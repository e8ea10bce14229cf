"""Consumers of the engines' events: read by group, applied once, in order per source, with every gap noticed.

In    an inbox (where effects and marks are stored together), a Redis with the engines' streams
Out   effects, exactly once; notices of what is missing; dead letters with their reason

Runs in processes outside the engine, so it is a room of its own: it imports ``quantum_api`` and no engine.
"""
