"""An arbitrage from its plan to its end: both legs, and what they differ by."""
