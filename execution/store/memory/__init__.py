"""Each feature's store in memory, the counterpart of that in Redis."""
