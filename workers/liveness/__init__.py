"""Liveness of workers and exchanges: heartbeat, watchdog, ticks, outage watch."""
