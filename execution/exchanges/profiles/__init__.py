"""One module for each supported exchange: what it promises and what its answers prove."""
