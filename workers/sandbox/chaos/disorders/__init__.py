"""Disturbances of a running stack: its processes, exchanges, store and messages."""
