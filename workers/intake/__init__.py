"""Signals become orders and arbitrages; the sweep finds those that no worker took."""
