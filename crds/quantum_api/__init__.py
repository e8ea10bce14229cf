"""The contract: the three kinds, their words, the signed policy document and the engine's status.

Both the operator and the engine import this package; it imports neither, and it does no I/O.
"""
