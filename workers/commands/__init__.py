"""The commands, by what they are about; workers.cli gathers them."""
