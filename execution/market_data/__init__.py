"""Order books and spreads between them, from snapshot to opportunity."""
