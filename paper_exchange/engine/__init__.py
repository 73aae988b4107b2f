"""Trading without HTTP: symbols, accounts, books, matching and history."""
