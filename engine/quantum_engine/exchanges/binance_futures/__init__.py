"""Binance USDⓈ-M futures: a thin client whose errors keep what the venue said (reference: DESIGN 10, known traps)."""
