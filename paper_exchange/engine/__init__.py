"""Trading without HTTP: symbols, accounts, books, matching and the record of what happened."""
