"""Chaos: whatever can go wrong goes wrong at once, with real processes; and then we count."""
