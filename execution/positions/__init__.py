"""Valuation of positions, and the balances that they explain."""
