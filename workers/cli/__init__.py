"""The commands by subject; workers.cli.main collects them."""
