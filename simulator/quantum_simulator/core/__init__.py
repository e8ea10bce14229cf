"""Accounts, books, orders, margin: the venue without clock, chance or network.  Pure."""
