"""What keeps a worker alive and seen: heartbeat, watchdog, ticks, the watch over outages."""
