"""Operational data for status, lists and doctor."""
