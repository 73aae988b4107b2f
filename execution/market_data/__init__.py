"""Order books, spreads and opportunities."""
