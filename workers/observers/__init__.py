"""Observers of orders, reconciliations and arbitrages: the log and Sentry."""
