"""The output of commands, as tables or JSON."""
