"""The connection to Redis, the keys, and the formats of stored data."""
