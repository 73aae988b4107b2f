"""The door to the ledger: every order, attempt and fill, kept in a SQL database for ever."""
