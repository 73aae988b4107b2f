"""The ledger: every order, attempt and fill, kept in a SQL database forever."""
