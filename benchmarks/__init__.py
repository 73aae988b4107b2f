"""Benchmarks. They are no tests: each prints ratios from one run, side by side."""
