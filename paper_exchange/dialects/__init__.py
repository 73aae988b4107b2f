"""How each exchange's API looks from outside; the engine knows nothing of it."""
