"""What positions are worth, and what balances they explain."""
