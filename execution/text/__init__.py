"""Texts: cut to length, with suggestions, and without secrets."""
