"""What status and doctor ask for."""
