"""Long-running readers of the market: collector, scanner, inventory."""
