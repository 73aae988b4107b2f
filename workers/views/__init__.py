"""What the commands show, as tables or JSON."""
