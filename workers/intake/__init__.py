"""The intake: signals become orders and arbitrages; the sweep records those that no worker took."""
