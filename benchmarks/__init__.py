"""Measurements. None of them is a test: they print ratios, side by side, from one run."""
