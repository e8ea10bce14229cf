"""Faults on the whole system.  A package, so that its one cluster ends with its last test."""
