"""What do I hold?  Positions, resting orders, balance and equity, with the exchange as the truth."""
