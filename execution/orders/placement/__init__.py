"""Places one order at the exchange, once: its attempts, and their outcomes."""
