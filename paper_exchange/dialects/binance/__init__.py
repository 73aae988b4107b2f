"""Binance's spot REST API: paths, signature, JSON shapes, errors and weights."""
