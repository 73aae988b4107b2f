"""Each feature's store in memory, the twin of that in Redis."""
