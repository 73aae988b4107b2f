"""Faults by rule: cut connections, and late, wrong or missing responses."""
