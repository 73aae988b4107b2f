"""Chaos: all faults at once on real processes, followed by a count of lost and doubled orders."""
