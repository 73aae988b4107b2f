"""Reconciles records and positions with the exchange."""
