"""The state that the threads of a process share for one account: circuit, markets, credentials."""
