"""Bybit's v5 REST API for spot: paths, signature, JSON shapes, errors and limits."""
