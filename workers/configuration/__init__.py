"""Settings, keys and accounts, and the checks before a worker starts."""
