"""What the threads of a process share of one account: circuit, markets, credentials."""
