"""The door to Redis, and its in-memory twin. Nothing else in execution imports redis."""
