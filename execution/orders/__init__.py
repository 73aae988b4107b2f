"""An order from its record to its end: journal, placement, manager."""
