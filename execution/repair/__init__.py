"""Puts back what the store lost, from the ledger."""
