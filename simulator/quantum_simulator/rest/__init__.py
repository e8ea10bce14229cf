"""Binance's paths, parameters, signatures, limits and answers over HTTP."""
