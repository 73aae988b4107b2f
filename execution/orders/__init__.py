"""Orders: journal, decisions, placement, manager."""
