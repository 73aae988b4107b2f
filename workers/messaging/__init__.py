"""Celery: the app, its tasks, its messages, and the protection from malformed ones."""
