"""Each feature's store in Redis. The modules have the names of those in memory/."""
