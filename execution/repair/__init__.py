"""Restores what the store has lost from the ledger."""
