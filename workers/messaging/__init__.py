"""Celery: the app, its tasks, its messages, and what guards it against malformed ones."""
