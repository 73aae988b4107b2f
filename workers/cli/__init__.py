"""The commands, by what they are about; workers.cli.main gathers them."""
