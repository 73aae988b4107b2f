"""One module for each supported exchange: its guarantees, and what its answers prove."""
