"""Checks that ccxt's requests carry exactly the order's values, before anything is sent."""
