"""Arbitrages: plan, both legs, and the hedging of unequal fills."""
